using System.Collections.Immutable;

namespace Gateway.Core.Authorization;

/// <summary>Finds rules that are allowed but hardly meant, by what the rules say alone.</summary>
/// <remarks>
/// Conservative: what it says of a rule is so for every request. Where it cannot be sure, it says nothing.
/// </remarks>
public static class PolicyReview
{
    private const RepositoryActions Changes = RepositoryActions.Push | RepositoryActions.Delete
        | RepositoryActions.Overwrite;

    /// <summary>
    /// Looks at all rules. Its cost is the square of their number, so it is for an operator's question only.
    /// </summary>
    public static IReadOnlyList<PolicyRemark> FindRemarks(PolicyDefinition definition)
    {
        var found = new List<PolicyRemark>();
        var groups = definition.Groups
            .SelectMany(static group => group.Members, static (group, member) => (Member: member, Group: group.Name))
            .Where(
                static pair => pair.Member.Kind is SubjectSelectorKind.User or SubjectSelectorKind.Robot
                    or SubjectSelectorKind.Group)
            .ToLookup(
                static pair => pair.Member, static pair => new SubjectSelector(SubjectSelectorKind.Group, pair.Group));
        var allows = definition.Rules.Where(static rule => rule.Effect == RuleEffect.Allow).ToList();
        var denies = definition.Rules.Where(static rule => rule.Effect == RuleEffect.Deny).ToList();
        foreach (var rule in definition.Rules)
        {
            if (PicksNobody(rule))
            {
                found.Add(new PolicyRemark(PolicyRemarkKind.Unreachable, rule, null,
                    $"unless ({Join(rule.Unless)}) exempts everyone that to ({Join(rule.To)}) selects"));
            }
        }

        for (var i = 0; i < allows.Count; i++)
        {
            var rule = allows[i];
            if (ActionNames.Granted(rule.Actions) == RepositoryActions.None)
            {
                continue; // it grants nothing, which no other rule is to blame for
            }

            if (denies.Find(deny => Covers(deny, rule, groups)) is { } deny)
            {
                found.Add(new PolicyRemark(PolicyRemarkKind.Denied, rule, deny,
                    $"everything it grants is denied by \"{deny.Identity.Name}\""));
                continue;
            }

            if (FindCover(allows, i, groups) is { } other)
            {
                found.Add(new PolicyRemark(PolicyRemarkKind.Redundant, rule, other,
                    $"everything it grants is already granted by \"{other.Identity.Name}\""));
            }

            if ((ActionNames.Granted(rule.Actions) & Changes) != 0
                && rule.When.AreNone && rule.Tags.IsEmpty && !PicksNobody(rule)
                && rule.To.Any(
                    static to => to.Kind is SubjectSelectorKind.Everyone or SubjectSelectorKind.Anonymous
                        or SubjectSelectorKind.Authenticated)
                && rule.On.Any(static pattern => pattern.Text is "**"))
            {
                found.Add(
                    new PolicyRemark(
                        PolicyRemarkKind.EverybodyWrites, rule, null,
                        $"{Join(rule.To)} may {ActionNames.Format(rule.Actions)} on **"));
            }
        }

        return found;
    }

    // Of rules that say the same the first stays, so that all that are reported can be removed together.
    private static PolicyRule? FindCover(
        List<PolicyRule> allows, int at, ILookup<SubjectSelector, SubjectSelector> groups)
    {
        for (var i = 0; i < allows.Count; i++)
        {
            if (i != at && Covers(allows[i], allows[at], groups) && (i < at || !Covers(allows[at], allows[i], groups)))
            {
                return allows[i];
            }
        }

        return null;
    }

    private static string Join(ImmutableArray<SubjectSelector> selectors) => string.Join(", ", selectors);

    private static bool PicksNobody(PolicyRule rule) =>
        rule.To.Length > 0 && rule.To.All(to => rule.Unless.Any(unless => Includes(unless, to, null)));

    // Whether every request that the second is about is one that the first is about, actions included.
    private static bool Covers(
        PolicyRule general, PolicyRule special, ILookup<SubjectSelector, SubjectSelector> groups) =>
        (Brought(special) & ~Brought(general)) == RepositoryActions.None
        && general.When.AreNone
        && general.Tags.IsEmpty
        && general.Unless.All(unless => special.Unless.Contains(unless))
        && (general.Registries.IsEmpty
        || (!special.Registries.IsEmpty && special.Registries.All(general.Registries.Contains)))
        && ((general.Effect == RuleEffect.Deny && general.To.IsEmpty)
            || (special.To.Length > 0 && special.To.All(to => general.To.Any(wide => Includes(wide, to, groups)))))
        && special.On.All(pattern => general.On.Any(wide => Includes(wide.Text, pattern.Text)));

    // The actions with what they bring with them, as the policy itself reads them: a deny of pull leaves delete.
    private static RepositoryActions Brought(PolicyRule rule) =>
        rule.Effect == RuleEffect.Deny ? ActionNames.Denied(rule.Actions) : ActionNames.Granted(rule.Actions);

    private static bool Includes(
        SubjectSelector wide, SubjectSelector narrow, ILookup<SubjectSelector, SubjectSelector>? groups) =>
        wide == narrow
        || wide.Kind == SubjectSelectorKind.Everyone
        || (wide.Kind == SubjectSelectorKind.Authenticated && narrow.Kind is SubjectSelectorKind.User
        or SubjectSelectorKind.Robot or SubjectSelectorKind.Issuer)
        || (wide.Kind == SubjectSelectorKind.Group && groups is not null && IsMember(wide, narrow, groups));

    // Members of a group's groups are its members, however deep, and whether or not groups hold each other.
    private static bool IsMember(
        SubjectSelector group, SubjectSelector member, ILookup<SubjectSelector, SubjectSelector> groups)
    {
        var seen = new HashSet<SubjectSelector> { member };
        var open = new Queue<SubjectSelector>(seen);
        while (open.TryDequeue(out var one))
        {
            foreach (var parent in groups[one].Where(seen.Add))
            {
                if (parent == group)
                {
                    return true;
                }

                open.Enqueue(parent);
            }
        }

        return false;
    }

    private static bool Includes(string wide, string narrow) =>
        wide == narrow
        || wide == "**"
        || (wide.EndsWith("/**", StringComparison.Ordinal)
            && !wide.AsSpan(0, wide.Length - 3).ContainsAny('*', '$')
            && narrow.StartsWith(wide[..^2], StringComparison.Ordinal));
}

/// <summary>What is odd about a rule.</summary>
/// <param name="Kind">In which way.</param>
/// <param name="Rule">The rule.</param>
/// <param name="Other">The rule that makes it so, where there is one.</param>
/// <param name="Detail">The same in words.</param>
public sealed record PolicyRemark(PolicyRemarkKind Kind, PolicyRule Rule, PolicyRule? Other, string Detail);

/// <summary>In which way a rule is odd.</summary>
public enum PolicyRemarkKind
{
    /// <summary>It is about nobody.</summary>
    Unreachable,

    /// <summary>An allow all of which is denied.</summary>
    Denied,

    /// <summary>An allow all of which another one grants.</summary>
    Redundant,

    /// <summary>It lets callers change every repository who only need to be there.</summary>
    EverybodyWrites,
}
