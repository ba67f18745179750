using System.ComponentModel;
using System.Diagnostics;

namespace Gateway.EndToEndTests.Support;

/// <summary>Runs other programs: without a shell, with a time limit, and never leaving a child behind.</summary>
internal static class Cli
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Runs a program to its end and returns what it said, whatever its exit code.</summary>
    /// <exception cref="InvalidOperationException">The program is not installed.</exception>
    /// <exception cref="TimeoutException">
    /// It was killed, with its children, after the time limit; the message has its output.
    /// </exception>
    public static async Task<CliResult> RunAsync(
        string program, IEnumerable<string> arguments, CliSettings? settings = null)
    {
        settings ??= new CliSettings();
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = settings.Folder ?? "",
        };
        foreach (var (name, value) in settings.Environment)
        {
            start.Environment[name] = value; // null removes it
        }

        using var process = Start(start);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await WriteInputAsync(process, settings.Input);
        using var limit = new CancellationTokenSource(settings.Timeout ?? DefaultTimeout);
        try
        {
            // The streams end later than the program where a child that it left keeps them: that is a fault too.
            await Task.WhenAll(output, error, process.WaitForExitAsync(limit.Token)).WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            var said = await Task.WhenAll(TextSoFar(output), TextSoFar(error));
            throw new TimeoutException(
                $"{Describe(start)} was still busy after {settings.Timeout ?? DefaultTimeout}.\n{string.Concat(said)}");
        }

        return new CliResult(Describe(start), process.ExitCode, await output, await error);
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new InvalidOperationException(
                $"{start.FileName} cannot be started ({exception.Message}). Is it installed? tests/run installs it.",
                exception);
        }
    }

    private static async Task WriteInputAsync(Process process, string? input)
    {
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading its input; its exit code tells.
        }
    }

    private static async Task<string> TextSoFar(Task<string> stream)
    {
        await Task.WhenAny(stream, Task.Delay(TimeSpan.FromSeconds(2)));
        return stream.IsCompletedSuccessfully ? await stream : "";
    }

    private static string Describe(ProcessStartInfo start) => string.Join(' ', [start.FileName, .. start.ArgumentList]);
}

/// <summary>How a program is run.</summary>
internal sealed record CliSettings
{
    /// <summary>The text for its standard input; none: it reads an end at once.</summary>
    public string? Input { get; init; }

    /// <summary>Its working folder; none: the tests' own.</summary>
    public string? Folder { get; init; }

    /// <summary>Variables added to the tests' own environment; <see langword="null"/> removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>When it is killed with its children; none: after two minutes.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>What a program said.</summary>
/// <param name="Command">The command line.</param>
/// <param name="ExitCode">Zero for success.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
internal sealed record CliResult(string Command, int ExitCode, string Output, string Error)
{
    /// <summary>Both streams, for messages that a program writes to either.</summary>
    public string Text => Output + Error;

    /// <summary>Fails the test, with all that the program said, unless it succeeded.</summary>
    /// <returns>Its standard output, trimmed.</returns>
    public string Succeeded()
    {
        Assert.True(ExitCode == 0, $"{Command}\nended with {ExitCode}:\n{Text}");
        return Output.Trim();
    }

    /// <summary>
    /// Fails the test, with all that the program said, unless it failed and said each of <paramref name="texts"/>.
    /// </summary>
    public void FailedWith(params string[] texts)
    {
        Assert.True(ExitCode != 0, $"{Command}\nshould have failed:\n{Text}");
        foreach (var text in texts)
        {
            Assert.True(
                Text.Contains(text, StringComparison.OrdinalIgnoreCase),
                $"{Command}\nshould have said \"{text}\":\n{Text}");
        }
    }
}
