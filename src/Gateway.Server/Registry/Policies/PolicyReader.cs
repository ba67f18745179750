using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Registry.Policies;

/// <summary>
/// Reads a policy folder again and again, and does anew only what the change of a file asks for.
/// </summary>
/// <remarks>
/// <para>
/// Every file is read each time, and its content compared by its hash: neither time nor size of a file decides whether
/// what is known of it still holds. What is known is what the file says by itself; all that lies between files is
/// worked out each time, and the index is built whole.
/// </para>
/// <para>
/// Nothing is kept of a reading with problems. The result is the same as that of a reader that knows nothing.
/// </para>
/// </remarks>
internal sealed class PolicyReader
{
    private readonly Lock _reading = new();
    private Known? _known;

    /// <summary>Reads the policies; <see cref="PolicyFolder.Read"/> says what the parameters are.</summary>
    public PolicyReading Read(string folder, IReadOnlyCollection<string>? registries, bool requiresEnd)
    {
        lock (_reading)
        {
            var problems = new ProblemCollector();
            var known = _known is { } last && last.Fits(folder, registries, requiresEnd) ? last : null;
            var paths = PolicyFolder.PolicyFiles(folder, problems);
            var files = paths
                .Select(path => PolicyFileReading.Read(
                    path, requiresEnd, registries, known?.Files.GetValueOrDefault(path), problems))
                .OfType<PolicyFileReading>().ToList();
            if (known is not null && problems.Count == 0 && known.IsOf(files))
            {
                return known.Reading; // the start reads twice: for the check, and for the server
            }

            var reading = Assemble(folder, files, paths.Count, problems);
            _known = reading.Problems is []
                ? new Known(folder, registries?.ToArray(), requiresEnd, files, reading)
                : known; // what it knows of single files is still true
            return reading;
        }
    }

    private static PolicyReading Assemble(
        string folder, List<PolicyFileReading> files, int fileCount, ProblemCollector problems)
    {
        var assembly = new PolicyAssembly(files, problems);
        PolicyFolder.CheckSize(assembly.Definition, folder, problems);
        return problems.Count == 0
            ? new PolicyReading(PolicySet.Compile(assembly.Definition), fileCount, [], files)
            : new PolicyReading(PolicySet.Empty, fileCount, problems.ToList(), files);
    }

    /// <summary>A reading without problems, with what it was of.</summary>
    private sealed class Known(
        string folder,
        string[]? registries,
        bool requiresEnd,
        List<PolicyFileReading> files,
        PolicyReading reading)
    {
        public Dictionary<string, PolicyFileReading> Files { get; } =
            files.ToDictionary(static file => file.Path, StringComparer.Ordinal);

        public PolicyReading Reading => reading;

        public bool Fits(string otherFolder, IReadOnlyCollection<string>? otherRegistries, bool otherRequiresEnd) =>
            folder == otherFolder
            && requiresEnd == otherRequiresEnd
            && (registries is null
                ? otherRegistries is null
                : otherRegistries is not null && registries.SequenceEqual(otherRegistries, StringComparer.Ordinal));

        public bool IsOf(List<PolicyFileReading> others) => files.SequenceEqual(others); // by reference
    }
}
