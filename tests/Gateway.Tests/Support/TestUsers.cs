using System.Diagnostics;

namespace Gateway.Tests.Support;

/// <summary>Password hashes from Apache's own <c>htpasswd</c>, as operators make them.</summary>
internal static class TestUsers
{
    /// <summary>A bcrypt hash at the least cost.</summary>
    public static string Hash(string password)
    {
        using var process = Process.Start(new ProcessStartInfo("htpasswd", ["-niB", "-C", "4", "name"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Write(password);
        process.StandardInput.Close();
        var line = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return line.Trim()["name:".Length..];
    }
}
