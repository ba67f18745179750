using System.Diagnostics;

namespace Gateway.Tests.Server.Requests.Tls;

/// <summary>Runs a program such as openssl or curl.</summary>
internal static class Tool
{
    public static Task<(int ExitCode, string Output)> RunAsync(
        string input, string program, params string[] arguments) =>
        RunAsync(input, closeInput: true, program, arguments);

    /// <summary>Runs a program whose input stays open, so that it has to end by itself.</summary>
    public static Task<(int ExitCode, string Output)> RunToItsEndAsync(
        string input, string program, params string[] arguments) =>
            RunAsync(input, closeInput: false, program, arguments);

    /// <summary>One HTTP/1.1 request through <c>openssl s_client</c>.</summary>
    public static Task<(int ExitCode, string Output)> SClientAsync(int port, params string[] arguments) => RunAsync(
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "openssl",
        ["s_client", "-connect", $"127.0.0.1:{port}", "-ign_eof", .. arguments]);

    /// <summary>
    /// rename(2), also of links to folders, which <see cref="File.Move(string, string, bool)"/> refuses.
    /// </summary>
    public static async Task RenameAsync(string from, string to)
    {
        var (exitCode, output) = await RunAsync("", "mv", "-T", from, to);
        Assert.True(exitCode == 0, output);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(
        string input, bool closeInput, string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        await process.StandardInput.FlushAsync();
        if (closeInput)
        {
            process.StandardInput.Close();
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }

        return (process.ExitCode, await output + await error);
    }
}
