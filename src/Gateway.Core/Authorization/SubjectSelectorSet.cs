namespace Gateway.Core.Authorization;

/// <summary>
/// Selectors of which one is enough, put into the form in which <see cref="PolicySet.IsPicked"/> compares them.
/// </summary>
public sealed class SubjectSelectorSet(IEnumerable<SubjectSelector> selectors)
{
    /// <summary>The selectors as written: <c>group:team-a</c>.</summary>
    internal string[] Keys { get; } = [.. selectors.Select(static selector => selector.ToString())];

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", Keys);
}
