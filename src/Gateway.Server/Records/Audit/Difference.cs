namespace Gateway.Server.Records.Audit;

/// <summary>What distinguishes two sets of named things.</summary>
/// <param name="Of">What they are: <c>users</c>, <c>rules</c>.</param>
/// <param name="Added">Names that are new.</param>
/// <param name="Removed">Names that are gone.</param>
/// <param name="Changed">Names that mean something else now.</param>
internal sealed record Difference(
    string Of, IReadOnlyList<string> Added, IReadOnlyList<string> Removed, IReadOnlyList<string> Changed)
{
    /// <summary>Whether there is any.</summary>
    public bool IsEmpty => Added.Count + Removed.Count + Changed.Count == 0;

    /// <summary>Compares.</summary>
    /// <param name="of">What they are.</param>
    /// <param name="before">Names, and what they meant.</param>
    /// <param name="after">Names, and what they mean.</param>
    public static Difference Between(
        string of, IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after) => new(
        of,
        Sorted(after.Keys.Where(name => !before.ContainsKey(name))),
        Sorted(before.Keys.Where(name => !after.ContainsKey(name))),
        Sorted(after.Where(item => before.TryGetValue(item.Key, out var old) && old != item.Value)
            .Select(static item => item.Key)));

    private static IReadOnlyList<string> Sorted(IEnumerable<string> names) => [.. names.Order(StringComparer.Ordinal)];
}
