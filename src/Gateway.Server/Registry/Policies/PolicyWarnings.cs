using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Registry.Policies;

/// <summary>Finds what is allowed in policies but hardly meant.</summary>
internal sealed class PolicyWarnings
{
    private readonly ProblemCollector _warnings = new();

    /// <summary>From the first file's top to the last one's end.</summary>
    public IReadOnlyList<Problem> ToList() => _warnings.ToList();

    /// <summary>Looks at one rule.</summary>
    public void CheckRule(PolicyRule rule, SourcePosition at)
    {
        foreach (var pattern in rule.On)
        {
            if (pattern.Text == "*")
            {
                Warn(
                    ProblemKind.NarrowPattern,
                    "\"*\" matches only repositories without a slash",
                    pattern.Text,
                    "Write \"**\" for all repositories.");
            }
            else if (rule.Effect == RuleEffect.Deny && pattern.Text.EndsWith("/*", StringComparison.Ordinal))
            {
                Warn(
                    ProblemKind.NarrowPattern,
                    "this deny does not match nested repositories",
                    pattern.Text,
                    $"Write \"{pattern.Text}*\" to deny those as well.");
            }
        }

        var toAnybody = rule.To.Any(
            static to => to.Kind is SubjectSelectorKind.Anonymous or SubjectSelectorKind.Everyone);
        if (rule.Effect == RuleEffect.Allow && toAnybody && (rule.Actions & ~RepositoryActions.Pull) != 0)
        {
            Warn(
                ProblemKind.OpenToAnyone,
                "callers without credentials may change repositories",
                ActionNames.Format(rule.Actions),
                "Grant them \"reader\" at most.");
        }

        if (rule.Effect == RuleEffect.Deny && !rule.When.Claims.IsEmpty
            && !(rule.To is not [] && rule.To.All(static to => to.Kind == SubjectSelectorKind.Issuer)))
        {
            Warn(
                ProblemKind.Other,
                "a deny by claim also refuses callers without such a claim, including people",
                rule.When.Claims[0].Name,
                "Name the issuer: \"to: [ issuer:… ]\".");
        }

        void Warn(ProblemKind kind, string what, string found, string fix) =>
            _warnings.Add(at, $"rule \"{rule.Identity.Name}\": {what}", found, fix, kind);
    }

    /// <summary>Looks for groups that no rule uses, and for rules whose group nobody declares.</summary>
    public void CheckGroups(
        IReadOnlyDictionary<string, Declared<PolicyGroup>> groups, IReadOnlyCollection<Declared<PolicyRule>> rules)
    {
        var used = rules.SelectMany(
            static rule => rule.Value.To.Concat(rule.Value.Unless), static (rule, selector) => (rule, selector))
            .Where(static use => use.selector.Kind == SubjectSelectorKind.Group).ToList();
        var nested = groups.Values.SelectMany(static group => group.Value.Members)
            .Where(static member => member.Kind == SubjectSelectorKind.Group).Select(static member => member.Name);
        var names = used.Select(static use => use.selector.Name).Concat(nested).ToHashSet(StringComparer.Ordinal);
        foreach (var group in groups.Values.Where(group => !names.Contains(group.Value.Name)))
        {
            _warnings.Add(
                group.At, "no rule uses this group", group.Value.Name, "Remove it or name it in a rule.",
                ProblemKind.UnusedGroup);
        }

        // Groups may also come from an identity provider, so an undeclared one is no mistake unless it looks like one.
        foreach (var (rule, selector) in used.Where(use => !groups.ContainsKey(use.selector.Name)))
        {
            if (NearestName.Find(selector.Name, groups.Keys) is { } nearest)
            {
                _warnings.Add(
                    rule.At,
                    $"rule \"{rule.Value.Identity.Name}\": no policy file declares this group",
                    selector.Name,
                    $"Did you mean \"{nearest}\"?",
                    ProblemKind.UndeclaredGroup);
            }
        }
    }
}
