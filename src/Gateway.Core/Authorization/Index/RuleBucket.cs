namespace Gateway.Core.Authorization.Index;

/// <summary>The rules of one effect that share a pattern and a principal.</summary>
internal sealed class RuleBucket
{
    // Below this, trying each rule's tags is cheaper than cutting the tag.
    private const int FewRules = 8;

    private readonly GlobIndex<CompiledRule>? _byTag;

    public RuleBucket(IEnumerable<CompiledRule> rules)
    {
        var byKind = rules.OrderBy(static rule => rule.Rank).ToLookup(static rule => rule.Source.Tags.IsEmpty);
        AnyTag = [.. byKind[true]];
        LimitedByTag = [.. byKind[false]];
        if (LimitedByTag.Length > FewRules)
        {
            _byTag = new(LimitedByTag.SelectMany(static rule => rule.Source.Tags, static (rule, tag) => (tag, rule)));
        }
    }

    public CompiledRule[] AnyTag { get; }

    public CompiledRule[] LimitedByTag { get; }

    public IEnumerable<CompiledRule> All => AnyTag.Concat(LimitedByTag);

    /// <summary>Adds what the rules say of a request, as far as it concerns the actions still looked for.</summary>
    public void Collect(in AccessRequest request, ResolvedSubject subject, ref Findings findings)
    {
        foreach (var rule in AnyTag)
        {
            if (findings.AreCompleteBefore(rule))
            {
                break; // the rules that follow come later by name, too
            }

            findings.Add(rule, in request, subject);
        }

        if (_byTag is not null && request.Tag.Tag is { } tag)
        {
            foreach (var rule in _byTag.Find(tag.Value))
            {
                findings.Add(rule, in request, subject);
            }

            return;
        }

        foreach (var rule in LimitedByTag)
        {
            findings.Add(rule, in request, subject);
        }
    }
}
