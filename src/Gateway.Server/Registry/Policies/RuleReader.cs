using System.Collections.Immutable;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Registry.Policies;

/// <summary>Reads rules.</summary>
internal sealed class RuleReader(
    ProblemCollector problems, PolicyWarnings warnings, RoleReader roles, IReadOnlyCollection<string>? registries)
{
    private const int MaxRules = 250_000;
    private const string RuleFix = "Begin each rule with \"- name: …\".";
    private const string SubjectsFix = $"Write a list of {SubjectSelector.Forms}.";

    private static readonly string[] RuleKeys =
        ["name", "to", "unless", "on", "tags", "registries", "when", "role", "allow", "deny"];

    private static readonly string[] EffectKeys = ["role", "allow", "deny"];

    private readonly Dictionary<string, Declared<PolicyRule>> _rules = new(StringComparer.Ordinal);

    /// <summary>All rules read so far, in the order of the files.</summary>
    public IReadOnlyCollection<Declared<PolicyRule>> Rules => _rules.Values;

    /// <summary>Reads a file's <c>rules</c>.</summary>
    public void Read(YamlNode section)
    {
        if (problems.List(section, "rules", RuleFix) is not { } list)
        {
            return;
        }

        foreach (var item in list.Items)
        {
            if (_rules.Count == MaxRules)
            {
                problems.Add(item.Position, $"more than {MaxRules} rules", null, "Use groups and wider patterns.");
                return;
            }

            if (problems.Map(item, "rules", RuleFix) is { } map
                && ReadRule(map) is { } rule
                && !_rules.TryAdd(rule.Identity.Name, new(rule, map.Position)))
            {
                problems.Add(
                    map.Position,
                    $"a rule with this name is already in {_rules[rule.Identity.Name].Where}",
                    rule.Identity.Name,
                    "Give it another name: error messages and audit lines name rules.");
            }
        }
    }

    private PolicyRule? ReadRule(YamlMapping map)
    {
        problems.CheckKeys(map, RuleKeys);
        const string nameFix = "Add \"name: …\", a sentence that says what the rule is for.";
        var name = Required(map, "name", nameFix) is { } nameValue
            ? problems.Text(nameValue, "name", nameFix)
            : null;
        var on = Required(map, "on", "Name repositories, as in on: [ \"team-a/**\" ].") is { } onValue
            ? ReadPatterns(onValue).ToImmutableArray()
            : [];
        var (effect, actions) = ReadEffect(map);
        var rule = new PolicyRule
        {
            Identity = new RuleIdentity(name ?? "", Path.GetFileName(map.Position.Origin), map.Position.Line),
            Effect = effect,
            Actions = actions,
            On = on,
            To = map.Find("to") is { } to ? [.. ReadSelectors(to, "to")] : [],
            Unless = map.Find("unless") is { } unless ? [.. ReadSelectors(unless, "unless")] : [],
            Tags = map.Find("tags") is { } tags ? [.. ReadTags(tags)] : [],
            Registries = map.Find("registries") is { } names ? [.. ReadRegistries(names)] : [],
            When = map.Find("when") is { } when ? new RuleConditionsReader(problems).Read(when) : RuleConditions.None,
        };
        if (effect == RuleEffect.Allow && map.Find("to") is null)
        {
            problems.Add(
                map.Position,
                "an allow without \"to\"",
                name,
                "Write to whom it applies, such as \"to: [ authenticated ]\" or \"to: [ group:team-a ]\".");
        }

        if (name is not null)
        {
            warnings.CheckRule(rule, map.Position);
        }

        return name is null ? null : rule;
    }

    private (RuleEffect Effect, RepositoryActions Actions) ReadEffect(YamlMapping map)
    {
        var given = EffectKeys.Where(key => map.Find(key) is not null).ToList();
        if (given is not [var only])
        {
            problems.Add(
                map.Position,
                given is [] ? "a rule that neither allows nor denies" : "a rule with " + string.Join(" and ", given),
                null,
                "Write exactly one of \"role: writer\", \"allow: [pull]\" and \"deny: [delete]\".");
            return default;
        }

        var value = map.Find(only)!;
        switch (only)
        {
            case "role":
                var role = problems.Text(value, "role", "Write the name of a role.");
                if (role is not null && !roles.Roles.ContainsKey(role))
                {
                    problems.Add(value.Position, "role: unknown role", role, NearestName.Hint(role, roles.Roles.Keys));
                }

                return (RuleEffect.Allow, role is null ? RepositoryActions.None : roles.Roles.GetValueOrDefault(role));
            case "allow":
                return (RuleEffect.Allow, roles.ReadActions(value, "allow", allowed: true));
            default:
                return (RuleEffect.Deny, roles.ReadActions(value, "deny", allowed: false));
        }
    }

    private IEnumerable<SubjectSelector> ReadSelectors(YamlNode value, string key)
    {
        foreach (var (at, text) in problems.Texts(value, key, SubjectsFix))
        {
            if (SubjectSelector.TryParse(text, out var selector))
            {
                yield return selector;
            }
            else
            {
                problems.Add(at, $"{key}: not a valid subject", text, SelectorFix(text));
            }
        }
    }

    private static string SelectorFix(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
        {
            return NearestName.Find(text, ["authenticated", "anonymous", "everyone"]) is { } kind
                ? $"Did you mean \"{kind}\"?"
                : $"Did you mean \"user:{text}\" or \"group:{text}\"?";
        }

        return NearestName.Find(text[..colon], ["user", "robot", "group", "issuer"]) is { } prefix
            && colon < text.Length - 1
            ? $"Did you mean \"{prefix}:{text[(colon + 1)..].Trim()}\"?"
            : SubjectsFix;
    }

    private IEnumerable<RepositoryPattern> ReadPatterns(YamlNode value)
    {
        foreach (var (at, text) in problems.Texts(value, "on", "Write repository patterns, such as \"team-a/**\"."))
        {
            if (RepositoryPattern.TryParse(text, out var pattern, out var fix))
            {
                yield return pattern;
            }
            else
            {
                problems.Add(at, "on: not a repository pattern", text, fix);
            }
        }
    }

    private IEnumerable<Glob> ReadTags(YamlNode value)
    {
        foreach (var (at, text) in problems.Texts(value, "tags", "Write tag patterns, such as \"v*\"."))
        {
            // What a wildcard matches is left out, so the rest must be a piece of a tag.
            if (text.Length <= Tag.MaxLength
                && (Tag.TryParse(text, out _) || Tag.TryParse(text.Replace('*', '_'), out _)))
            {
                yield return new Glob(text);
            }
            else
            {
                problems.Add(
                    at,
                    "tags: no tag can match",
                    text,
                    "Use letters, digits, \"_\", \".\" and \"-\", and \"*\" for any of them.");
            }
        }
    }

    private IEnumerable<string> ReadRegistries(YamlNode value)
    {
        const string fix = "Write names of registries, as in gateway.yaml.";
        foreach (var (at, text) in problems.Texts(value, "registries", fix))
        {
            if (registries?.Contains(text) == false)
            {
                problems.Add(at, "registries: unknown registry", text, NearestName.Hint(text, registries));
            }

            yield return text;
        }
    }

    private YamlNode? Required(YamlMapping map, string key, string fix)
    {
        var value = map.Find(key);
        if (value is null)
        {
            problems.Add(map.Position, $"a rule without \"{key}\"", null, fix);
        }

        return value;
    }
}
