namespace Gateway.Core.Authorization.Index;

/// <summary>Rules by the principals that they are found under, in two flat arrays.</summary>
internal sealed class RulesByPrincipal
{
    private readonly int[] _starts; // by principal; one more at the end
    private readonly CompiledRule[] _rules;

    /// <summary>Sorts rules by principal; those of one principal stay in the order given.</summary>
    public RulesByPrincipal(
        int principalCount, List<(CompiledRule Rule, int[] Principals, int[] Patterns)> entries)
    {
        _starts = new int[principalCount + 1];
        foreach (var (_, principals, _) in entries)
        {
            foreach (var principal in principals)
            {
                _starts[principal + 1]++;
            }
        }

        for (var i = 0; i < principalCount; i++)
        {
            _starts[i + 1] += _starts[i];
        }

        _rules = new CompiledRule[_starts[^1]];
        var next = _starts.AsSpan().ToArray();
        foreach (var (rule, principals, _) in entries)
        {
            foreach (var principal in principals)
            {
                _rules[next[principal]++] = rule;
            }
        }
    }

    /// <summary>The rules of one principal.</summary>
    public ArraySegment<CompiledRule> this[int principal] =>
        new(_rules, _starts[principal], _starts[principal + 1] - _starts[principal]);
}
