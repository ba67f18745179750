using Gateway.Core.Registry;

namespace Gateway.Core.Authorization.Index;

/// <summary>A rule with everything worked out that does not depend on the question.</summary>
internal sealed class CompiledRule(PolicyRule rule, int rank, int[] to, int[] unless)
{
    private readonly bool _hasConditions = !rule.When.AreNone;
    private AccessDecision?[]? _refusals; // of a deny, once it refused

    public PolicyRule Source => rule;

    /// <summary>
    /// The place among all rules by name, so that the rule named by a decision never depends on the order of files.
    /// </summary>
    public int Rank => rank;

    public bool IsDeny => rule.Effect == RuleEffect.Deny;

    /// <summary>The actions with what they bring with them.</summary>
    public RepositoryActions Actions { get; } = rule.Effect == RuleEffect.Deny
        ? ActionNames.Denied(rule.Actions)
        : ActionNames.Granted(rule.Actions);

    /// <summary>
    /// The decision where this rule is the one that allows; made once, so that an allow costs no memory.
    /// </summary>
    public AccessDecision Allowed { get; } = new(true, rule.Identity, RepositoryActions.None);

    /// <summary>The decision where this deny refuses these actions.</summary>
    public AccessDecision Refused(RepositoryActions missing) =>
        (_refusals ??= new AccessDecision?[(int)ActionNames.All + 1])[(int)missing] ??=
            new AccessDecision(false, rule.Identity, missing);

    /// <summary>Whether <c>to</c> picks the subject.</summary>
    public bool Picks(ResolvedSubject subject) => subject.HasAnyOf(to);

    /// <summary>Whether <c>unless</c> exempts the subject.</summary>
    public bool Exempts(ResolvedSubject subject) => unless.Length > 0 && subject.HasAnyOf(unless);

    /// <summary>Everything but repository and tag.</summary>
    public bool AppliesTo(in AccessRequest request, ResolvedSubject subject) =>
        Picks(subject)
        && !Exempts(subject)
        && ConcernsRegistry(request.Registry)
        && (!_hasConditions || rule.When.Hold(in request, missingClaimMatches: IsDeny));

    public bool ConcernsRegistry(string registry) => rule.Registries.IsEmpty || rule.Registries.Contains(registry);

    /// <summary>
    /// The actions of this rule that are left for what the request touches: tag, no tag, or unknown tags.
    /// </summary>
    public RepositoryActions ActionsFor(TagScope scope)
    {
        if (rule.Tags.IsEmpty)
        {
            return Actions;
        }

        if (scope.Tag is { } tag)
        {
            return MatchesTag(tag) ? Actions : RepositoryActions.None;
        }

        if (IsDeny)
        {
            return scope.IsUnknown ? Actions : RepositoryActions.None;
        }

        // An image cannot be moved without its blobs and untagged manifests; but removing or replacing is another
        // thing.
        return Actions & (RepositoryActions.Pull | RepositoryActions.Push);
    }

    private bool MatchesTag(Tag tag)
    {
        foreach (var glob in rule.Tags)
        {
            if (glob.Matches(tag.Value))
            {
                return true;
            }
        }

        return false;
    }
}
