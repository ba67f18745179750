using System.Diagnostics;

namespace Gateway.EndToEndTests.Support;

public sealed class CliTests
{
    [Fact]
    public async Task RunAsync_ProgramEnds_ReturnsBothStreamsAndTheCode()
    {
        var result = await Cli.RunAsync("sh", ["-c", "cat; echo aside >&2; exit 3"], new CliSettings { Input = "in" });

        Assert.Equal((3, "in", "aside\n"), (result.ExitCode, result.Output, result.Error));
    }

    [Fact]
    public async Task RunAsync_TimeIsOver_KillsTheChildrenTooAndTellsWhatWasSaid()
    {
        var marker = $"1000{Environment.ProcessId}"; // an argument that no other process has

        var thrown = await Assert.ThrowsAsync<TimeoutException>(() => Cli.RunAsync(
            "sh", ["-c", $"echo before; sleep {marker}; echo after"],
            new CliSettings { Timeout = TimeSpan.FromSeconds(1) }));

        Assert.Contains("before", thrown.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Process.GetProcessesByName("sleep"), process => IsRunning(process.Id, marker));
    }

    [Fact]
    public async Task RunAsync_ProgramMissing_SaysWhatInstallsIt()
    {
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => Cli.RunAsync("no-such-program", []));

        Assert.Contains("tests/run installs it", thrown.Message, StringComparison.Ordinal);
    }

    private static bool IsRunning(int process, string argument)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Contains(argument, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // ended meanwhile
        }
    }
}
