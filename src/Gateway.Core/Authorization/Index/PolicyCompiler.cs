namespace Gateway.Core.Authorization.Index;

/// <summary>Turns rules into the tables of a <see cref="PolicySet"/>.</summary>
internal sealed class PolicyCompiler
{
    private static readonly SubjectSelector Everyone = new(SubjectSelectorKind.Everyone, "");

    private readonly List<(CompiledRule Rule, int[] Principals, int[] Patterns)> _allows = [];
    private readonly List<(CompiledRule Rule, int[] Principals, int[] Patterns)> _denies = [];
    private readonly Dictionary<(string Name, string Value), int> _claimUse = [];
    private readonly RepositoryIndex.Builder _patterns = new();
    private readonly List<int[]?> _alone = []; // by principal: the list of it alone, which many rules share

    public PolicyCompiler(PolicyDefinition definition)
    {
        Principals = new PrincipalIndex(definition.Groups);
        foreach (var (claim, value) in definition.Rules.SelectMany(ExactClaims).SelectMany(
            static claim => claim.Values, static (claim, value) => (claim, value)))
        {
            var key = (claim.Name, value.Text);
            _claimUse[key] = _claimUse.GetValueOrDefault(key) + 1;
        }

        var inOrder = definition.Rules.ToArray();
        Array.Sort(inOrder, CompareNames);
        for (var rank = 0; rank < inOrder.Length; rank++)
        {
            var rule = inOrder[rank];
            var to = rule is { Effect: RuleEffect.Deny, To.IsEmpty: true }
                ? Numbers([Everyone])
                : Numbers(rule.To.AsSpan());
            var compiled = new CompiledRule(rule, rank, to, Numbers(rule.Unless.AsSpan()));
            (compiled.IsDeny ? _denies : _allows).Add((compiled, FoundUnder(rule, to), Patterns(rule)));
        }

        Denies = new RuleTables(_patterns.PatternCount, _denies);
        Allows = new RuleTables(_patterns.PatternCount, _allows);
        Repositories = _patterns.Build();
    }

    public PrincipalIndex Principals { get; }

    public RepositoryIndex Repositories { get; }

    public RuleTables Denies { get; }

    public RuleTables Allows { get; }

    /// <summary>For each principal, the allows that are found under it, by rank.</summary>
    public RulesByPrincipal AllowsByPrincipal() => new(Principals.Count, _allows);

    // By name, then by place: names are unique within one folder, but need not be where a program made the rules.
    private static int CompareNames(PolicyRule left, PolicyRule right)
    {
        var order = string.CompareOrdinal(left.Identity.Name, right.Identity.Name);
        order = order != 0 ? order : string.CompareOrdinal(left.Identity.File, right.Identity.File);
        return order != 0 ? order : left.Identity.Line.CompareTo(right.Identity.Line);
    }

    private int[] Patterns(PolicyRule rule) => rule.On.Length == 1
        ? [_patterns.Add(rule.On[0])]
        : [.. rule.On.Select(_patterns.Add).Distinct()];

    // Many rules for one issuer differ only in a claim (one for each source repository). Such a rule is found under
    // the claim's value, which few callers have, rather than under the issuer, which all of them have. Denies are not:
    // they also hold for callers without the claim.
    private int[] FoundUnder(PolicyRule rule, int[] to)
    {
        if (rule.When.Claims.IsEmpty)
        {
            return to;
        }

        var rarest = ExactClaims(rule).MinBy(claim => claim.Values.Max(value => _claimUse[(claim.Name, value.Text)]));
        return rarest is null
            ? to
            : [.. rarest.Values.Select(value => Principals.InternClaim(rarest.Name, value.Text)).Distinct()];
    }

    private static IEnumerable<ClaimCondition> ExactClaims(PolicyRule rule) =>
        rule.Effect == RuleEffect.Allow && !rule.When.Claims.IsEmpty
            ? rule.When.Claims.Where(static claim => claim.Values.All(static value => value.IsExact))
            : [];

    private int[] Numbers(ReadOnlySpan<SubjectSelector> selectors) => selectors switch
    {
        [] => [],
        [var only] => Alone(Principals.Intern(only)),
        _ => [.. selectors.ToArray().Select(Principals.Intern).Distinct().Order()],
    };

    private int[] Alone(int principal)
    {
        while (_alone.Count <= principal)
        {
            _alone.Add(null);
        }

        return _alone[principal] ??= [principal];
    }
}
