using System.Collections.Immutable;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Registry.Policies;

/// <summary>Reads the rules of one file.</summary>
internal sealed class RuleReader(
    ProblemCollector problems, RoleReader roles, IReadOnlyCollection<string>? registries, string path)
{
    /// <summary>The most rules of all files together, and so of one.</summary>
    public const int MaxRules = 250_000;

    /// <summary>What helps where there are more.</summary>
    public const string TooManyFix = "Use groups and wider patterns.";

    private const int PoolSize = 4_096; // a power of two
    private const string RuleFix = "Begin each rule with \"- name: …\".";
    private const string SubjectsFix = $"Write a list of {SubjectSelector.Forms}.";

    private static readonly string[] RuleKeys =
        ["name", "to", "unless", "on", "tags", "registries", "when", "role", "allow", "deny"];

    private readonly string _file = Path.GetFileName(path);
    private readonly List<ReadRule> _rules = [];

    // Large policies name the same groups again and again; neighbours most of all.
    private readonly ImmutableArray<SubjectSelector>[] _selectors = new ImmutableArray<SubjectSelector>[PoolSize];

    /// <summary>The rules read, in the order of the file.</summary>
    public List<ReadRule> Rules => _rules;

    /// <summary>Reads the file's <c>rules</c>.</summary>
    public void Read(YamlNode section)
    {
        if (problems.List(section, "rules", RuleFix) is not { } list)
        {
            return;
        }

        _rules.Capacity = Math.Min(list.Items.Count, MaxRules);
        foreach (var item in list.Items)
        {
            if (_rules.Count == MaxRules)
            {
                problems.Add(item.Position, $"more than {MaxRules} rules", null, TooManyFix);
                return;
            }

            if (problems.Map(item, "rules", RuleFix) is { } map && ReadRule(map) is { } rule)
            {
                _rules.Add(rule);
            }
        }
    }

    private ReadRule? ReadRule(YamlMapping map)
    {
        problems.CheckKeys(map, RuleKeys);
        const string nameFix = "Add \"name: …\", a sentence that says what the rule is for.";
        var name = Required(map, "name", nameFix) is { } nameValue
            ? problems.Text(nameValue, "name", nameFix)
            : null;
        var on = Required(map, "on", "Name repositories, as in on: [ \"team-a/**\" ].") is { } onValue
            ? ReadPatterns(onValue).ToImmutableArray()
            : [];
        var (effect, actions, role) = ReadEffect(map);
        var rule = new PolicyRule
        {
            Identity = new RuleIdentity(name ?? "", _file, map.Position.Line),
            Effect = effect,
            Actions = actions,
            On = on,
            To = map.Find("to") is { } to ? Selectors(to, "to") : [],
            Unless = map.Find("unless") is { } unless ? Selectors(unless, "unless") : [],
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

        return name is null
            ? null
            : new ReadRule(
                rule, map.Position.Column, role?.Text, role?.Position.Line ?? 0, role?.Position.Column ?? 0);
    }

    // What a role allows is known only when all files are read; until then it is nothing.
    private (RuleEffect Effect, RepositoryActions Actions, YamlScalar? Role) ReadEffect(YamlMapping map)
    {
        var (role, allow, deny) = (map.Find("role"), map.Find("allow"), map.Find("deny"));
        switch (role, allow, deny)
        {
            case ({ }, null, null):
                return (
                    RuleEffect.Allow,
                    RepositoryActions.None,
                    problems.Text(role, "role", "Write the name of a role.") is null ? null : (YamlScalar)role);
            case (null, { }, null):
                return (RuleEffect.Allow, roles.ReadActions(allow, "allow", allowed: true), null);
            case (null, null, { }):
                return (RuleEffect.Deny, roles.ReadActions(deny, "deny", allowed: false), null);
        }

        string?[] given =
            [role is null ? null : "role", allow is null ? null : "allow", deny is null ? null : "deny"];
        problems.Add(
            map.Position,
            role is null && allow is null && deny is null
                ? "a rule that neither allows nor denies"
                : "a rule with " + string.Join(" and ", given.OfType<string>()),
            null,
            "Write exactly one of \"role: writer\", \"allow: [pull]\" and \"deny: [delete]\".");
        return default;
    }

    // One selector alone is what most rules have; rules that have the same one share it.
    private ImmutableArray<SubjectSelector> Selectors(YamlNode value, string key)
    {
        if (value is not YamlScalar and not YamlList { Items: [YamlScalar] })
        {
            return [.. ReadSelectors(value, key)];
        }

        var only = (value as YamlScalar) ?? (YamlScalar)((YamlList)value).Items[0];
        ref var pooled = ref _selectors[string.GetHashCode(only.Text, StringComparison.Ordinal) & (PoolSize - 1)];
        if (!pooled.IsDefaultOrEmpty
            && SubjectSelector.TryParse(only.Text, out var selector)
            && !only.IsNull
            && pooled[0] == selector)
        {
            return pooled;
        }

        ImmutableArray<SubjectSelector> read = [.. ReadSelectors(value, key)];
        return read.Length == 1 ? pooled = read : read;
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

/// <summary>A rule as one file has it, before its role is looked up.</summary>
/// <param name="Rule">The rule; with a role, its actions are missing.</param>
/// <param name="Column">Where it begins in its line, from 1.</param>
/// <param name="Role">The role's name; <see langword="null"/> where the rule names none.</param>
/// <param name="RoleLine">Where the role is named.</param>
/// <param name="RoleColumn">Where in that line.</param>
internal readonly record struct ReadRule(PolicyRule Rule, int Column, string? Role, int RoleLine, int RoleColumn);
