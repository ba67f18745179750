using System.Diagnostics;

namespace Gateway.Tests.Support;

/// <summary>What a real <c>/bin/sh</c> makes of a line that people are told to paste.</summary>
internal static class ShellReader
{
    /// <summary>The line's words, each on a line of its own.</summary>
    public static async Task<string> WordsOfAsync(string line)
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("printf '%s\\n' " + line);
        using var shell = Process.Start(start)!;
        var words = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return words;
    }
}
