using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Registry.Policies;

/// <summary>The folder with the policy files: all of its <c>*.yaml</c>, read as one.</summary>
internal static class PolicyFolder
{
    public const string TestSuffix = ".test.yaml";

    private const int MaxFiles = 1_000;

    // One rule is in the index once for each pattern and each selector.
    private const long MaxEntries = 5_000_000;

    /// <summary>Reads and compiles the policies. A folder without files denies everything.</summary>
    /// <param name="folder">The folder; <see cref="Paths"/> are what to watch for changes.</param>
    /// <param name="registries">
    /// Names of the configured registries, so that rules for others are found; unknown where not given.
    /// </param>
    /// <param name="requiresEnd">
    /// Whether each file must end with <c>...</c>, so that one that is cut off is told.
    /// </param>
    /// <exception cref="ProblemException">Something is wrong; every problem is in it.</exception>
    public static PolicySet Load(
        string folder, IReadOnlyCollection<string>? registries = null, bool requiresEnd = false) =>
        Read(folder, registries, requiresEnd).PolicyOrProblems();

    /// <summary>
    /// Reads the policies with everything there is to say about them. It does not throw for what is in files.
    /// </summary>
    /// <inheritdoc cref="Load"/>
    public static PolicyReading Read(
        string folder, IReadOnlyCollection<string>? registries = null, bool requiresEnd = false) =>
        new PolicyReader().Read(folder, registries, requiresEnd);

    /// <summary>The policy files of a folder, without the test files.</summary>
    public static IReadOnlyList<string> PolicyFiles(string folder, ProblemCollector problems) =>
    [
        .. Files(folder, problems).Where(static path => !path.EndsWith(TestSuffix, StringComparison.Ordinal)),
    ];

    /// <summary>Reports policies whose index would be too large.</summary>
    public static void CheckSize(PolicyDefinition definition, string folder, ProblemCollector problems)
    {
        var entries = 0L;
        foreach (var rule in definition.Rules)
        {
            entries += (long)rule.On.Length * Math.Max(rule.To.Length, 1);
        }

        if (entries > MaxEntries)
        {
            problems.Add(
                SourcePosition.OfFile(folder),
                $"{entries} pairs of pattern and selector, more than {MaxEntries}",
                null,
                "Use groups and wider patterns.");
        }
    }

    /// <summary>
    /// What to watch for changes: the files that are read, and those that look like one. Not what editors and copying
    /// programs keep beside them, which may change all the time.
    /// </summary>
    public static IReadOnlyList<string> Paths(string folder)
    {
        try
        {
            return
            [
                .. Directory.EnumerateFileSystemEntries(folder)
                    .Where(static path => !Path.GetFileName(path).StartsWith('.'))
                    .SelectMany(static path => Directory.Exists(path) ? Directory.EnumerateFiles(path) : [path])
                    .Where(static path => IsYaml(path) || IsMisnamed(path))
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [folder]; // reading it tells what is wrong
        }
    }

    /// <summary>
    /// The policy and test files of a folder, by name. What looks like one but is not read is a problem.
    /// </summary>
    public static IReadOnlyList<string> Files(string folder, ProblemCollector problems)
    {
        var files = new List<string>();
        if (File.Exists(folder))
        {
            problems.Add(SourcePosition.OfFile(folder), "a file, not a folder", null,
                "Set \"policies\" to the folder that it is in.");
            return files;
        }

        Collect(folder, files, problems);
        if (files.Count > MaxFiles)
        {
            problems.Add(
                SourcePosition.OfFile(folder),
                $"{files.Count} files, more than {MaxFiles}",
                null,
                "Put rules that belong together into one file.");
            return [];
        }

        return files;
    }

    private static void Collect(string folder, List<string> files, ProblemCollector problems)
    {
        try
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal))
            {
                // A rule that is silently not read may be the deny that somebody relies on. Names with a dot in front
                // are Kubernetes' and editors' own.
                var name = Path.GetFileName(path);
                if (name.StartsWith('.'))
                {
                    continue;
                }

                if (Directory.Exists(path))
                {
                    if (Directory.EnumerateFiles(path).Any(static file => IsYaml(file) || IsMisnamed(file)))
                    {
                        problems.Add(
                            SourcePosition.OfFile(path),
                            "policy files in a subfolder of the policy folder are not read",
                            null,
                            "Move them into the policy folder itself, or out of it.");
                    }
                }
                else if (IsYaml(name))
                {
                    files.Add(path);
                }
                else if (IsMisnamed(name))
                {
                    problems.Add(
                        SourcePosition.OfFile(path),
                        "only files named *.yaml are read",
                        null,
                        "Rename it, or move it out of the policy folder.");
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            problems.Add(
                SourcePosition.OfFile(folder),
                "the folder does not exist",
                null,
                "Create it, or set \"policies\" to the folder of the policy files.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problems.Add(
                SourcePosition.OfFile(folder),
                "cannot be read: " + exception.Message,
                null,
                "Make it readable for the gateway's account.");
        }
    }

    private static bool IsYaml(string path) => path.EndsWith(".yaml", StringComparison.Ordinal);

    private static bool IsMisnamed(string path) =>
        path.EndsWith(".yml", StringComparison.OrdinalIgnoreCase)
        || path.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase);
}
