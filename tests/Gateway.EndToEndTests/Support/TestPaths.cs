namespace Gateway.EndToEndTests.Support;

/// <summary>Where things lie, and ports that are free.</summary>
internal static class TestPaths
{
    /// <summary>The repository's folder.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>
    /// Where logs of servers are kept for a failed run, or <see langword="null"/>: <c>tests/run</c> names it.
    /// </summary>
    public static string? Logs { get; } = Environment.GetEnvironmentVariable("GATEWAY_TEST_LOGS");

    /// <summary>A program on the PATH, with its folder.</summary>
    public static string Program(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(folder => Path.Combine(folder, name))
        .FirstOrDefault(File.Exists) ?? name;

    /// <summary>
    /// Where <c>tests/run</c> unpacks programs of later Debians: <c>need_later_packages</c> of compose/lib.sh.
    /// </summary>
    /// <param name="suite">The suite's name.</param>
    /// <param name="part"><c>root</c>: programs alone; <c>system</c>: with all that they need.</param>
    public static string Later(string suite, string part) => Path.Combine(Repository, ".cache", suite, part);

    /// <summary>A TCP port that nothing listens on at this moment.</summary>
    public static int FreePort() => Gateway.Tests.Support.FreePort.Next();

    /// <summary>Copies a server's log to where <c>tests/run</c> keeps them.</summary>
    public static void KeepLog(string file, string name)
    {
        if (Logs is not null && File.Exists(file))
        {
            Directory.CreateDirectory(Logs);
            File.Copy(file, Path.Combine(Logs, $"{name}-{Path.GetRandomFileName()}.log"));
        }
    }

    private static string FindRepository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Gateway.sln")))
        {
            folder = Path.GetDirectoryName(folder)
                ?? throw new InvalidOperationException($"no folder above {AppContext.BaseDirectory} holds Gateway.sln");
        }

        return folder;
    }
}
