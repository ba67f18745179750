using System.Collections.Immutable;

namespace Gateway.Core.Authorization;

/// <summary>Finds rules that are allowed but hardly meant, by what the rules say alone.</summary>
/// <remarks>
/// Conservative: what it says of a rule is so for every request. Where it cannot be sure, it says nothing.
/// </remarks>
public static class PolicyReview
{
    /// <summary>Looks at all rules. Its cost is the square of their number, so it is for an operator's question only.</summary>
    public static IReadOnlyList<PolicyRemark> Of(PolicyDefinition definition)
    {
        var found = new List<PolicyRemark>();
        var groups = definition.Groups.ToDictionary(static group => group.Name, static group => group.Members);
        var allows = definition.Rules.Where(static rule => rule.Effect == RuleEffect.Allow).ToList();
        var denies = definition.Rules.Where(static rule => rule.Effect == RuleEffect.Deny).ToList();
        foreach (var rule in definition.Rules)
        {
            if (PicksNobody(rule))
            {
                found.Add(new PolicyRemark(PolicyRemarkKind.Unreachable, rule, null, $"unless ({Join(rule.Unless)}) exempts everybody whom to ({Join(rule.To)}) picks"));
            }
        }

        foreach (var rule in allows)
        {
            if (denies.FirstOrDefault(deny => Covers(deny, rule, groups)) is { } deny)
            {
                found.Add(new PolicyRemark(PolicyRemarkKind.Denied, rule, deny, $"whatever it grants is denied by \"{deny.Identity.Name}\""));
            }
            else if (allows.FirstOrDefault(other => !ReferenceEquals(other, rule) && Covers(other, rule, groups) && !(Covers(rule, other, groups) && IsBefore(rule, other, allows))) is { } other)
            {
                found.Add(new PolicyRemark(PolicyRemarkKind.Redundant, rule, other, $"whatever it grants is granted by \"{other.Identity.Name}\" already"));
            }

            if ((rule.Actions & (RepositoryActions.Push | RepositoryActions.Delete | RepositoryActions.Overwrite)) != 0
                && rule.When.AreNone && rule.Tags.IsEmpty
                && rule.To.Any(static to => to.Kind is SubjectSelectorKind.Everyone or SubjectSelectorKind.Anonymous or SubjectSelectorKind.Authenticated)
                && rule.On.Any(static pattern => pattern.Text is "**"))
            {
                found.Add(new PolicyRemark(PolicyRemarkKind.EverybodyWrites, rule, null, $"{Join(rule.To)} may {ActionNames.Format(rule.Actions)} on **"));
            }
        }

        return found;
    }

    private static bool IsBefore(PolicyRule rule, PolicyRule other, List<PolicyRule> all) => all.IndexOf(rule) < all.IndexOf(other);

    private static string Join(ImmutableArray<SubjectSelector> selectors) => string.Join(", ", selectors);

    private static bool PicksNobody(PolicyRule rule) =>
        rule.To.Length > 0 && rule.To.All(to => rule.Unless.Any(unless => Includes(unless, to, null)));

    // Whether every request that the second is about is one that the first is about, actions included.
    private static bool Covers(PolicyRule general, PolicyRule special, Dictionary<string, ImmutableArray<SubjectSelector>> groups) =>
        (Implied(general) & Implied(special)) == Implied(special)
        && general.When.AreNone
        && general.Tags.IsEmpty
        && general.Unless.All(unless => special.Unless.Contains(unless))
        && (general.Registries.IsEmpty || (!special.Registries.IsEmpty && special.Registries.All(general.Registries.Contains)))
        && ((general.Effect == RuleEffect.Deny && general.To.IsEmpty)
            || (special.To.Length > 0 && special.To.All(to => general.To.Any(wide => Includes(wide, to, groups)))))
        && special.On.All(pattern => general.On.Any(wide => Includes(wide.Text, pattern.Text)));

    // A deny of pull leaves no push: every client looks before it pushes.
    private static RepositoryActions Implied(PolicyRule rule) => rule.Effect == RuleEffect.Deny
        ? (rule.Actions & RepositoryActions.Pull) != 0 ? ActionNames.All : rule.Actions
        : (rule.Actions & RepositoryActions.Push) != 0 ? rule.Actions | RepositoryActions.Pull : rule.Actions;

    private static bool Includes(SubjectSelector wide, SubjectSelector narrow, Dictionary<string, ImmutableArray<SubjectSelector>>? groups) =>
        wide == narrow
        || wide.Kind == SubjectSelectorKind.Everyone
        || (wide.Kind == SubjectSelectorKind.Authenticated && narrow.Kind is SubjectSelectorKind.User or SubjectSelectorKind.Robot or SubjectSelectorKind.Issuer)
        || (wide.Kind == SubjectSelectorKind.Group && groups is not null && groups.TryGetValue(wide.Name, out var members) && members.Contains(narrow));

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
