using Xunit.Abstractions;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// Begins with the tests that take minutes: begun last, one would run alone when all others are done.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest = [
        nameof(Load.SoakTests), nameof(Grammar.RegistryRequestDifferentialTests), nameof(Bench.BenchTests),
    ];

    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderByDescending(static collection =>
            Longest.Any(name => collection.DisplayName.EndsWith('.' + name, StringComparison.Ordinal)));
}
