using System.Text.RegularExpressions;

namespace Gateway.EndToEndTests.Support;

/// <summary>A client's program, and how it is started.</summary>
/// <param name="Name">The program.</param>
/// <param name="Version">Major and minor, <c>28.5</c>; empty for the one that this Debian has.</param>
/// <param name="Before">What comes before its arguments, where it is not started by its own name.</param>
internal sealed partial record ClientProgram(string Name, string Version, params string[] Before)
{
    // With the later suite's usr/ over this one's, a program finds the libraries that it was built with, and everything
    // else (folders, hosts, trust) is this machine's. The namespace goes with the process.
    private const string Bind = "mount --bind \"$1\" /usr && shift && exec \"$@\"";

    /// <summary>The one on the PATH.</summary>
    public static ClientProgram Of(string name) => new(name, "");

    /// <summary>
    /// One that <c>tests/run</c> unpacked from a later suite and that runs on the libraries that are here.
    /// </summary>
    /// <param name="suite">The suite's name.</param>
    /// <param name="name">The program.</param>
    /// <param name="package">Its package, where that is called otherwise.</param>
    public static ClientProgram Later(string suite, string name, string? package = null) =>
        new(
            Path.Combine(TestPaths.Later(suite, "root"), "usr", "bin", name),
            VersionOf(suite, "root", package ?? name));

    /// <summary>One that <c>tests/run</c> unpacked with all that it needs.</summary>
    public static ClientProgram InSystem(string suite, string name)
    {
        var system = TestPaths.Later(suite, "system");
        return new ClientProgram(
            "unshare", VersionOf(suite, "system", name), "--mount", "sh", "-c", Bind, "sh", Path.Combine(system, "usr"),
            name);
    }

    /// <summary>Runs it.</summary>
    public Task<CliResult> RunAsync(IEnumerable<string> arguments, CliSettings? settings = null) =>
        Cli.RunAsync(Name, [.. Before, .. arguments], settings);

    private static string VersionOf(string suite, string part, string package)
    {
        var file = Path.Combine(TestPaths.Later(suite, part), "versions");
        Assert.True(
            File.Exists(file),
            $"{package} of Debian {suite} is not unpacked (no {file}): run tests/run, which does it");
        return Numbers().Match(
            File.ReadLines(file).Last(line => line.StartsWith(package + '\t', StringComparison.Ordinal))).Value;
    }

    [GeneratedRegex(@"(?<=\t(\d+:)?)\d+\.\d+")]
    private static partial Regex Numbers();
}
