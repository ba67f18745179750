using System.Runtime.InteropServices;

namespace Gateway.Client.Native;

/// <summary>
/// The machine's OpenSSL, which .NET loads when it first needs it. Without one it ends the process with a core dump.
/// </summary>
internal static class OpenSslLibrary
{
    // Those that .NET 10 looks for, and the variable that names another.
    private static readonly string[] Names =
        ["libssl.so.3", "libssl.so.1.1", "libssl.so.1.0.2", "libssl.so.1.0.0", "libssl.so.10"];

    private const string Variable = "CLR_OPENSSL_VERSION_OVERRIDE";

    /// <summary>What is wrong; <see langword="null"/> if there is an OpenSSL.</summary>
    public static string? FindProblem()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var named = Environment.GetEnvironmentVariable(Variable);
        var names = string.IsNullOrEmpty(named) ? Names : [$"libssl.so.{named}", .. Names];
        return Array.Exists(names, static name => NativeLibrary.TryLoad(name, out _))
            ? null
            : $"OpenSSL is missing on this machine (looked for {string.Join(", ", names)}). Install libssl3 "
                + $"or openssl-libs, or name another version with {Variable}.";
    }
}
