using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Scripts;

/// <summary>The repository's scripts, which no compiler reads.</summary>
public sealed class ScriptTests
{
    public static TheoryData<string> Scripts =>
    [
        "compose/up", "compose/down", "compose/local-images", "tests/run", "tests/bench/run", ".ci/run",
        "tools/single-file",
    ];

    [Theory]
    [MemberData(nameof(Scripts))]
    public async Task Script_Shellcheck_FindsNothing(string script)
    {
        var check = await Cli.RunAsync(
            "shellcheck", ["--external-sources", script], new CliSettings { Folder = TestPaths.Repository });

        check.Succeeded();
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_File_IsExecutable(string script) =>
        Assert.True(File.GetUnixFileMode(Path.Combine(TestPaths.Repository, script)).HasFlag(UnixFileMode.UserExecute));

    [Theory]
    [InlineData("compose/up", "--detach")]
    [InlineData("compose/down", "--purge")]
    [InlineData("tests/run", "tests/run unit")]
    [InlineData("tests/bench/run", "--tiny")]
    [InlineData("tools/single-file", "--runtime")]
    public async Task Script_Help_NamesTheOptions(string script, string option)
    {
        var help = await Cli.RunAsync(Path.Combine(TestPaths.Repository, script), ["--help"]);

        Assert.Contains(option, help.Succeeded(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("compose/up", "--port")]
    [InlineData("compose/down", "--volumes")]
    [InlineData("compose/local-images", "postgres")]
    [InlineData("tests/run", "units")]
    [InlineData("tests/bench/run", "--small")]
    [InlineData("tools/single-file", "--rid")]
    public async Task Script_UnknownArgument_SaysWhatIsKnown(string script, string argument)
    {
        var run = await Cli.RunAsync(Path.Combine(TestPaths.Repository, script), [argument]);

        run.FailedWith($"(found: {argument})");
    }
}
