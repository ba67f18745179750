namespace Gateway.Core.Authorization.Index;

/// <summary>Turns rules into the tables of a <see cref="PolicySet"/>.</summary>
internal sealed class PolicyCompiler
{
    private static readonly SubjectSelector Everyone = new(SubjectSelectorKind.Everyone, "");

    private readonly List<(CompiledRule Rule, int[] Principals, int[] Patterns)> _rules = [];
    private readonly Dictionary<(string Name, string Value), int> _claimUse = [];
    private readonly int _patternCount;

    public PolicyCompiler(PolicyDefinition definition)
    {
        Principals = new PrincipalIndex(definition.Groups);
        foreach (var (claim, value) in definition.Rules.SelectMany(ExactClaims).SelectMany(
            static claim => claim.Values, static (claim, value) => (claim, value)))
        {
            var key = (claim.Name, value.Text);
            _claimUse[key] = _claimUse.GetValueOrDefault(key) + 1;
        }

        var patterns = new RepositoryIndex.Builder();
        var inOrder = definition.Rules
            .OrderBy(static rule => rule.Identity.Name, StringComparer.Ordinal)
            .ThenBy(static rule => rule.Identity.File, StringComparer.Ordinal)
            .ThenBy(static rule => rule.Identity.Line);
        foreach (var rule in inOrder)
        {
            var to = Numbers(rule is { Effect: RuleEffect.Deny, To.IsEmpty: true } ? [Everyone] : rule.To);
            _rules.Add((
                new CompiledRule(rule, _rules.Count, to, Numbers(rule.Unless)),
                FoundUnder(rule, to),
                [.. rule.On.Select(patterns.Add).Distinct()]));
        }

        _patternCount = patterns.PatternCount;
        Repositories = patterns.Build();
    }

    public PrincipalIndex Principals { get; }

    public RepositoryIndex Repositories { get; }

    /// <summary>For each pattern, the rules of one effect.</summary>
    public RuleTable[] Tables(RuleEffect effect)
    {
        var entries = new List<(int, CompiledRule)>?[_patternCount];
        foreach (var (rule, principals, patterns) in _rules.Where(entry => entry.Rule.Source.Effect == effect))
        {
            foreach (var pattern in patterns)
            {
                (entries[pattern] ??= []).AddRange(principals.Select(principal => (principal, rule)));
            }
        }

        return [.. entries.Select(static list => list is null ? RuleTable.Empty : new RuleTable(list))];
    }

    /// <summary>For each principal, the allows that are found under it.</summary>
    public CompiledRule[][] AllowsByPrincipal()
    {
        var lists = new List<CompiledRule>?[Principals.Count];
        foreach (var (rule, principals, _) in _rules.Where(static entry => !entry.Rule.IsDeny))
        {
            foreach (var principal in principals)
            {
                (lists[principal] ??= []).Add(rule);
            }
        }

        return [.. lists.Select(static list => list?.ToArray() ?? [])];
    }

    // Many rules for one issuer differ only in a claim (one for each source repository). Such a rule is found under
    // the claim's value, which few callers have, rather than under the issuer, which all of them have. Denies are not:
    // they also hold for callers without the claim.
    private int[] FoundUnder(PolicyRule rule, int[] to)
    {
        var rarest = ExactClaims(rule).MinBy(claim => claim.Values.Max(value => _claimUse[(claim.Name, value.Text)]));
        return rarest is null
            ? to
            : [.. rarest.Values.Select(value => Principals.InternClaim(rarest.Name, value.Text)).Distinct()];
    }

    private static IEnumerable<ClaimCondition> ExactClaims(PolicyRule rule) => rule.Effect == RuleEffect.Allow
        ? rule.When.Claims.Where(static claim => claim.Values.All(static value => value.IsExact))
        : [];

    private int[] Numbers(IEnumerable<SubjectSelector> selectors) =>
        [.. selectors.Select(Principals.Intern).Distinct().Order()];
}
