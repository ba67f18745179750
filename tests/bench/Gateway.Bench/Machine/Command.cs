using System.Diagnostics;

namespace Gateway.Bench.Machine;

/// <summary>Programs that run to their end.</summary>
internal static class Command
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>Runs a program and gives what it wrote to standard output and standard error.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="input">The text for its standard input.</param>
    /// <param name="environment">Variables on top of this program's own.</param>
    /// <exception cref="BenchException">It failed, or took longer than five minutes.</exception>
    public static async Task<string> RunAsync(
        IReadOnlyList<string> command, string input = "", IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment.Remove(Profile.Switch);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token),
                process.StandardError.ReadToEndAsync(limit.Token));
            var text = await output + await error;
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode == 0
                ? text
                : throw new BenchException($"{string.Join(' ', command)} ended with {process.ExitCode}:\n{text}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new BenchException($"{string.Join(' ', command)} took longer than {Limit}");
        }
    }
}
