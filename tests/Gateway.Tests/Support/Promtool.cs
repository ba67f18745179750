using System.Diagnostics;

namespace Gateway.Tests.Support;

/// <summary>Prometheus's own judge of metrics and rules, from Debian's package <c>prometheus</c>.</summary>
internal static class Promtool
{
    /// <summary>Runs it to its end.</summary>
    /// <returns>Exit code 0 where it finds nothing to object to, and everything it said.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("promtool", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }

        return (process.ExitCode, await output + await errors);
    }
}
