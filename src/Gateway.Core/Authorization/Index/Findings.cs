namespace Gateway.Core.Authorization.Index;

/// <summary>What the matching rules of one effect say of a request so far.</summary>
internal struct Findings(RepositoryActions wanted)
{
    private readonly RepositoryActions _strongest = ActionNames.Strongest(wanted);

    /// <summary>The actions found, among those wanted.</summary>
    public RepositoryActions Actions { get; private set; }

    /// <summary>
    /// Of the rules found, the first by name: of all denies, or of the allows that give the strongest action wanted.
    /// </summary>
    public CompiledRule? Rule { get; private set; }

    /// <summary>Whether everything wanted is found and this rule comes too late to be the one that is named.</summary>
    public readonly bool AreCompleteBefore(CompiledRule rule) =>
        Actions == wanted && Rule is not null && Rule.Rank < rule.Rank;

    public void Add(CompiledRule rule, in AccessRequest request, ResolvedSubject subject)
    {
        var isFirst = Rule is null || rule.Rank < Rule.Rank;
        var useful = wanted & rule.Actions;
        if (useful == RepositoryActions.None || (!isFirst && (useful & ~Actions) == RepositoryActions.None))
        {
            return;
        }

        useful &= rule.ActionsFor(request.Tag);
        if (useful == RepositoryActions.None || !rule.AppliesTo(in request, subject))
        {
            return;
        }

        Actions |= useful;
        if (isFirst && (rule.IsDeny || (useful & _strongest) != 0))
        {
            Rule = rule;
        }
    }
}
