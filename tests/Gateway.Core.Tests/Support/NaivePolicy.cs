using Gateway.Core.Authorization;

namespace Gateway.Core.Tests.Support;

/// <summary>
/// What docs/policy.md says, rule by rule and without any index: the oracle for <see cref="PolicySet"/>.
/// </summary>
/// <remarks>
/// It shares only the rules' data with the real thing; every comparison is written a second time, the simple way.
/// </remarks>
internal sealed class NaivePolicy(PolicyDefinition definition)
{
    public bool Allows(AccessRequest request) => Split(request.Actions).All(action => Allows(request, action));

    /// <summary>The actions asked for that are not allowed.</summary>
    public RepositoryActions Ungranted(AccessRequest request) =>
        Split(request.Actions).Where(action => !Allows(request, action))
        .Aggregate(RepositoryActions.None, static (union, action) => union | action);

    public bool Matches(PolicyRule rule, AccessRequest request) =>
        (rule.To.Any(to => Picks(to, request.Subject)) || (rule.To.IsEmpty && rule.Effect == RuleEffect.Deny))
        && !rule.Unless.Any(unless => Picks(unless, request.Subject))
        && rule.On.Any(
            pattern => PatternMatches(pattern.Text.Split('/'), request.Repository.Value.Split('/'), request.Subject))
        && (rule.Registries.IsEmpty || rule.Registries.Contains(request.Registry))
        && (rule.When.Addresses.IsEmpty || rule.When.Addresses.Any(network => network.Contains(request.ClientAddress)))
        && (rule.When.Methods.IsEmpty
        || rule.When.Methods.Any(method => GlobMatches(method.Text, request.Subject.Method)))
        && rule.When.Claims.All(claim => request.Subject.Claims.TryGetValue(claim.Name, out var value)
            ? claim.Values.Any(glob => GlobMatches(glob.Text, value))
            : rule.Effect == RuleEffect.Deny);

    private bool Allows(AccessRequest request, RepositoryActions action)
    {
        var matching = definition.Rules.Where(rule => Matches(rule, request)).ToList();
        return !matching.Any(rule => rule.Effect == RuleEffect.Deny && Denies(rule, action, request.Tag))
            && matching.Any(rule => rule.Effect == RuleEffect.Allow && Grants(rule, action, request.Tag));
    }

    private static bool Denies(PolicyRule rule, RepositoryActions action, TagScope tag)
    {
        var taken = action switch
        {
            RepositoryActions.Push =>
                rule.Actions.HasFlag(RepositoryActions.Push) || rule.Actions.HasFlag(RepositoryActions.Pull),
            RepositoryActions.Overwrite => rule.Actions.HasFlag(RepositoryActions.Overwrite)
                || rule.Actions.HasFlag(RepositoryActions.Push) || rule.Actions.HasFlag(RepositoryActions.Pull),
            _ => rule.Actions.HasFlag(action),
        };
        return taken && (rule.Tags.IsEmpty || tag.IsUnknown || TagMatches(rule, tag));
    }

    private static bool Grants(PolicyRule rule, RepositoryActions action, TagScope tag)
    {
        var given = action switch
        {
            RepositoryActions.Pull =>
                rule.Actions.HasFlag(RepositoryActions.Pull) || rule.Actions.HasFlag(RepositoryActions.Push),
            RepositoryActions.Overwrite => rule.Actions.HasFlag(RepositoryActions.Push),
            _ => rule.Actions.HasFlag(action),
        };
        var withoutTag = tag.Tag is null && action is RepositoryActions.Pull or RepositoryActions.Push;
        return given && (rule.Tags.IsEmpty || TagMatches(rule, tag) || (tag.Tag is null && withoutTag));
    }

    private static bool TagMatches(PolicyRule rule, TagScope tag) =>
        tag.Tag is { } one && rule.Tags.Any(glob => GlobMatches(glob.Text, one.Value));

    private bool Picks(SubjectSelector selector, Subject subject) => selector.ToString() switch
    {
        "everyone" => true,
        "anonymous" => subject.IsAnonymous,
        "authenticated" => !subject.IsAnonymous,
        var text when text.StartsWith("issuer:", StringComparison.Ordinal) => subject.Method == text,
        var text when text.StartsWith("group:", StringComparison.Ordinal) => IsMember(selector.Name, subject, 5),
        var text =>
            text == subject.ToString() && subject.Kind is SubjectKind.User or SubjectKind.Robot
            && text == subject.ToString(),
    };

    private bool IsMember(string group, Subject subject, int depth) =>
        depth > 0 && (subject.Groups.Contains(group)
            || definition.Groups.Where(declared => declared.Name == group).SelectMany(
                static declared => declared.Members).Any(member =>
                member.Kind == SubjectSelectorKind.Group
                    ? IsMember(member.Name, subject, depth - 1)
                    : Picks(member, subject)));

    private static bool PatternMatches(string[] pattern, string[] parts, Subject subject)
    {
        if (pattern is [])
        {
            return parts is [];
        }

        if (pattern is ["**"])
        {
            return parts is not [];
        }

        if (pattern is ["**", ..])
        {
            return PatternMatches(pattern[1..], parts, subject)
                || (parts is not [] && PatternMatches(pattern, parts[1..], subject));
        }

        return parts is not []
            && (pattern[0] == "${subject}"
                ? subject.Kind == SubjectKind.User && subject.Name == parts[0]
                : GlobMatches(pattern[0], parts[0]))
            && PatternMatches(pattern[1..], parts[1..], subject);
    }

    private static bool GlobMatches(string glob, string text) => glob switch
    {
        "" => text == "",
        ['*', .. var rest] => GlobMatches(rest, text) || (text != "" && GlobMatches(glob, text[1..])),
        _ => text != "" && text[0] == glob[0] && GlobMatches(glob[1..], text[1..]),
    };

    private static IEnumerable<RepositoryActions> Split(RepositoryActions actions) =>
        Enum.GetValues<RepositoryActions>().Where(
            action => action != RepositoryActions.None && actions.HasFlag(action));
}
