using System.Collections.Immutable;
using Gateway.Configuration;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Authorization;

/// <summary>Reads the groups, roles and rules of policy files that belong together.</summary>
/// <remarks>Roles of all files are read before the rules of any, since a rule may use another file's role.</remarks>
internal sealed class PolicyFileReader(IReadOnlyCollection<string>? registries)
{
    private const int MaxRules = 250_000;
    private const int MaxGroupDepth = 16;
    private const string ToCure = $"Write a list of {SubjectSelector.Forms}.";

    private static readonly string[] RuleKeys =
        ["name", "to", "unless", "on", "tags", "registries", "when", "role", "allow", "deny"];

    private static readonly string[] EffectKeys = ["role", "allow", "deny"];

    private readonly Dictionary<string, RepositoryActions> _roles = new(StringComparer.Ordinal)
    {
        ["reader"] = RepositoryActions.Pull,
        ["writer"] = RepositoryActions.Pull | RepositoryActions.Push,
        ["owner"] = RepositoryActions.Pull | RepositoryActions.Push | RepositoryActions.Delete,
    };

    private readonly Dictionary<string, string> _roleFiles = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Declared<PolicyGroup>> _groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Declared<PolicyRule>> _rules = new(StringComparer.Ordinal);

    /// <summary>What is allowed but hardly meant.</summary>
    public List<Problem> Warnings { get; } = [];

    /// <summary>Reads all files; what is wrong is reported to them.</summary>
    public PolicyDefinition Read(IReadOnlyList<YamlFile> files)
    {
        var sections = files.Where(static file => file.Root is not null)
            .Select(static file => (File: file, Keys: file.Keys(file.Root!, "groups", "roles", "rules")))
            .ToList();
        foreach (var (file, keys) in sections)
        {
            if (keys.TryGetValue("roles", out var roles) && roles is not YamlText { IsNothing: true })
            {
                ReadRoles(file, roles);
            }

            if (keys.TryGetValue("groups", out var groups) && groups is not YamlText { IsNothing: true })
            {
                ReadGroups(file, groups);
            }
        }

        foreach (var (file, keys) in sections)
        {
            if (keys.TryGetValue("rules", out var rules) && rules is not YamlText { IsNothing: true })
            {
                ReadRules(file, rules);
            }
        }

        CheckCircles();
        WarnAboutGroups();
        return new PolicyDefinition(
            [.. _rules.Values.Select(static rule => rule.Value)],
            [.. _groups.Values.Select(static group => group.Value)]);
    }

    private void ReadRoles(YamlFile file, YamlValue value)
    {
        if (file.Map(value, "roles", "Write \"name: [pull, push]\" lines below it.") is not { } map)
        {
            return;
        }

        foreach (var (name, roleActions) in map.Entries)
        {
            var actions = ReadActions(file, roleActions, name.Text, allowed: true);
            if (!SubjectSelector.IsName(name.Text))
            {
                file.Report(name, "roles: not a name", name.Text, "Use 1 to 256 characters without outer spaces.");
            }
            else if (_roles.TryAdd(name.Text, actions))
            {
                _roleFiles.Add(name.Text, $"declared in {file.Name}:{name.Line}");
            }
            else
            {
                var where = _roleFiles.GetValueOrDefault(name.Text, "built in");
                file.Report(name, "a role of this name is " + where, name.Text, "Choose another name.");
            }
        }
    }

    private void ReadGroups(YamlFile file, YamlValue value)
    {
        if (file.Map(value, "groups", "Write \"name: [alice, bob]\" lines below it.") is not { } map)
        {
            return;
        }

        foreach (var (name, members) in map.Entries)
        {
            var group = new PolicyGroup(name.Text, [.. ReadMembers(file, members, name.Text)]);
            if (!SubjectSelector.IsName(name.Text))
            {
                file.Report(name, "groups: not a name", name.Text, "Use 1 to 256 characters without outer spaces.");
            }
            else if (!_groups.TryAdd(name.Text, new(group, file, name)))
            {
                // Merged silently, one team's file could add members to another team's group.
                file.Report(
                    name,
                    $"group already declared in {_groups[name.Text].Where}",
                    name.Text,
                    "Declare a group once; nest groups with \"group:NAME\" among the members.");
            }
        }
    }

    private static IEnumerable<SubjectSelector> ReadMembers(YamlFile file, YamlValue value, string group)
    {
        if (value is YamlList { Items: [] })
        {
            yield break; // a group that nobody is in yet
        }

        const string cure = "Write a list of user names, robot:NAME or group:NAME.";
        foreach (var (at, text) in file.Texts(value, "groups." + group, cure))
        {
            var selector = new SubjectSelector(SubjectSelectorKind.User, text);
            if (text.Contains(':', StringComparison.Ordinal)
                && !(SubjectSelector.TryParse(text, out selector) && selector.Kind is not SubjectSelectorKind.Issuer))
            {
                file.Report(at, $"groups.{group}: no such kind of member", text, cure);
            }
            else if (!SubjectSelector.IsName(selector.Name))
            {
                file.Report(at, $"groups.{group}: not a name", text, cure);
            }
            else if (text is "anonymous" or "authenticated" or "everyone")
            {
                file.Report(
                    at,
                    $"groups.{group}: not a member but a kind of caller",
                    text,
                    $"Name it under \"to\" of a rule; a user of that name is \"user:{text}\".");
            }
            else
            {
                yield return selector;
            }
        }
    }

    private void ReadRules(YamlFile file, YamlValue value)
    {
        if (value is not YamlList list)
        {
            file.Report(
                value,
                $"rules: {value.Kind} where a list belongs",
                (value as YamlText)?.Text,
                "Begin each rule with \"- name: …\".");
            return;
        }

        foreach (var item in list.Items)
        {
            if (_rules.Count == MaxRules)
            {
                file.Report(item, $"more than {MaxRules} rules", null, "Use groups and wider patterns.");
                return;
            }

            if (file.Map(item, "rules", "Begin each rule with \"- name: …\".") is { } map
                && ReadRule(file, map) is { } rule
                && !_rules.TryAdd(rule.Identity.Name, new(rule, file, map)))
            {
                file.Report(
                    map,
                    $"a rule of this name is in {_rules[rule.Identity.Name].Where}",
                    rule.Identity.Name,
                    "Give it another name: answers and records name rules.");
            }
        }
    }

    private PolicyRule? ReadRule(YamlFile file, YamlMap map)
    {
        var keys = file.Keys(map, RuleKeys);
        const string nameCure = "Add \"name: …\", a sentence that says what the rule is for.";
        var name = Required(file, map, keys, "name", nameCure) is { } nameValue
            ? file.Text(nameValue, "name", nameCure)
            : null;
        var on = Required(file, map, keys, "on", "Name repositories, as in on: [ \"team-a/**\" ].") is { } onValue
            ? ReadPatterns(file, onValue).ToImmutableArray()
            : [];
        var (effect, actions) = ReadEffect(file, map, keys);
        var rule = new PolicyRule
        {
            Identity = new RuleIdentity(name ?? "", file.Name, (int)map.Line),
            Effect = effect,
            Actions = actions,
            On = on,
            To = keys.TryGetValue("to", out var to) ? [.. ReadSelectors(file, to, "to")] : [],
            Unless = keys.TryGetValue("unless", out var unless) ? [.. ReadSelectors(file, unless, "unless")] : [],
            Tags = keys.TryGetValue("tags", out var tags) ? [.. ReadTags(file, tags)] : [],
            Registries = keys.TryGetValue("registries", out var names) ? [.. ReadRegistries(file, names)] : [],
            When = keys.TryGetValue("when", out var when) ? RuleConditionsReader.Read(file, when) : RuleConditions.None,
        };
        if (effect == RuleEffect.Allow && to is null)
        {
            file.Report(
                map,
                "an allow without \"to\"",
                name,
                "Say whom it is for, such as \"to: [ authenticated ]\" or \"to: [ group:team-a ]\".");
        }

        if (name is not null)
        {
            WarnAbout(file, map, rule);
        }

        return name is null ? null : rule;
    }

    private (RuleEffect Effect, RepositoryActions Actions) ReadEffect(
        YamlFile file, YamlMap map, Dictionary<string, YamlValue> keys)
    {
        var given = EffectKeys.Where(keys.ContainsKey).ToList();
        if (given is not [var only])
        {
            file.Report(
                map,
                given is [] ? "a rule that neither allows nor denies" : "a rule with " + string.Join(" and ", given),
                null,
                "Write exactly one of \"role: writer\", \"allow: [pull]\" and \"deny: [delete]\".");
            return default;
        }

        var value = keys[only];
        switch (only)
        {
            case "role":
                var role = file.Text(value, "role", "Write the name of a role.");
                if (role is not null && !_roles.ContainsKey(role))
                {
                    file.Report(value, "role: no such role", role, NearestName.Hint(role, _roles.Keys));
                }

                return (RuleEffect.Allow, role is null ? RepositoryActions.None : _roles.GetValueOrDefault(role));
            case "allow":
                return (RuleEffect.Allow, ReadActions(file, value, "allow", allowed: true));
            default:
                return (RuleEffect.Deny, ReadActions(file, value, "deny", allowed: false));
        }
    }

    private static RepositoryActions ReadActions(YamlFile file, YamlValue value, string key, bool allowed)
    {
        var cure = $"Write a list of {string.Join(", ", ActionNames.Names)}{(allowed ? "" : ", or all")}.";
        var actions = RepositoryActions.None;
        foreach (var (at, text) in file.Texts(value, key, cure))
        {
            if (ActionNames.TryParse(text, out var action))
            {
                actions |= action;
            }
            else if (text == "all" && !allowed)
            {
                actions = ActionNames.All;
            }
            else
            {
                file.Report(
                    at,
                    $"{key}: no such action",
                    text,
                    NearestName.Of(text, ActionNames.Names) is { } nearest ? $"Did you mean \"{nearest}\"?" : cure);
            }
        }

        if (allowed && (actions & (RepositoryActions.Push | RepositoryActions.Overwrite)) == RepositoryActions.Overwrite)
        {
            file.Report(
                value,
                $"{key}: overwrite without push",
                null,
                "Write push, which includes overwrite unless a rule denies it.");
        }

        return actions;
    }

    private static IEnumerable<SubjectSelector> ReadSelectors(YamlFile file, YamlValue value, string key)
    {
        foreach (var (at, text) in file.Texts(value, key, ToCure))
        {
            if (SubjectSelector.TryParse(text, out var selector))
            {
                yield return selector;
            }
            else
            {
                file.Report(at, $"{key}: nobody that can be named so", text, SelectorCure(text));
            }
        }
    }

    private static string SelectorCure(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
        {
            return NearestName.Of(text, ["authenticated", "anonymous", "everyone"]) is { } kind
                ? $"Did you mean \"{kind}\"?"
                : $"Did you mean \"user:{text}\" or \"group:{text}\"?";
        }

        return NearestName.Of(text[..colon], ["user", "robot", "group", "issuer"]) is { } prefix
            && colon < text.Length - 1
            ? $"Did you mean \"{prefix}:{text[(colon + 1)..].Trim()}\"?"
            : ToCure;
    }

    private static IEnumerable<RepositoryPattern> ReadPatterns(YamlFile file, YamlValue value)
    {
        foreach (var (at, text) in file.Texts(value, "on", "Write repository patterns, such as \"team-a/**\"."))
        {
            if (RepositoryPattern.TryParse(text, out var pattern, out var cure))
            {
                yield return pattern;
            }
            else
            {
                file.Report(at, "on: not a repository pattern", text, cure);
            }
        }
    }

    private static IEnumerable<Glob> ReadTags(YamlFile file, YamlValue value)
    {
        foreach (var (at, text) in file.Texts(value, "tags", "Write tag patterns, such as \"v*\"."))
        {
            // What a wildcard stands for is left out, so the rest must be a piece of a tag.
            if (text.Length <= Tag.MaxLength
                && (Tag.TryParse(text, out _) || Tag.TryParse(text.Replace('*', '_'), out _)))
            {
                yield return new Glob(text);
            }
            else
            {
                file.Report(
                    at,
                    "tags: no tag can match",
                    text,
                    "Tags have letters, digits, \"_\", \".\" and \"-\"; \"*\" stands for any of them.");
            }
        }
    }

    private IEnumerable<string> ReadRegistries(YamlFile file, YamlValue value)
    {
        foreach (var (at, text) in file.Texts(value, "registries", "Write names of registries, as in gateway.yaml."))
        {
            if (registries?.Contains(text) == false)
            {
                file.Report(at, "registries: no such registry", text, NearestName.Hint(text, registries));
            }

            yield return text;
        }
    }

    private static YamlValue? Required(
        YamlFile file, YamlMap map, Dictionary<string, YamlValue> keys, string key, string cure)
    {
        if (!keys.TryGetValue(key, out var value))
        {
            file.Report(map, $"a rule without \"{key}\"", null, cure);
        }

        return value;
    }

    private void CheckCircles()
    {
        var done = new HashSet<string>(StringComparer.Ordinal);
        var path = new List<string>();
        foreach (var name in _groups.Keys)
        {
            Visit(name);
        }

        void Visit(string name)
        {
            if (!_groups.TryGetValue(name, out var group) || done.Contains(name))
            {
                return;
            }

            var at = path.IndexOf(name);
            if (at >= 0 || path.Count == MaxGroupDepth)
            {
                var circle = string.Join(" → ", path.Skip(Math.Max(at, 0)).Append(name));
                group.File.Report(
                    group.At,
                    at >= 0 ? "groups: a circle" : $"groups: nested more than {MaxGroupDepth} deep",
                    circle,
                    "Take one of them out of another.");
                done.Add(name);
                return;
            }

            path.Add(name);
            foreach (var member in group.Value.Members.Where(static member => member.Kind == SubjectSelectorKind.Group))
            {
                Visit(member.Name);
            }

            path.RemoveAt(path.Count - 1);
            done.Add(name);
        }
    }

    private void WarnAbout(YamlFile file, YamlMap map, PolicyRule rule)
    {
        foreach (var pattern in rule.On)
        {
            if (pattern.Text == "*")
            {
                Warn($"\"*\" is only repositories without a slash", pattern.Text, "Write \"**\" for all repositories.");
            }
            else if (rule.Effect == RuleEffect.Deny && pattern.Text.EndsWith("/*", StringComparison.Ordinal))
            {
                Warn(
                    "this deny does not reach deeper repositories",
                    pattern.Text,
                    $"Write \"{pattern.Text}*\" to deny those, too.");
            }
        }

        var toAnybody = rule.To.Any(static to => to.Kind is SubjectSelectorKind.Anonymous or SubjectSelectorKind.Everyone);
        if (rule.Effect == RuleEffect.Allow && toAnybody && (rule.Actions & ~RepositoryActions.Pull) != 0)
        {
            Warn(
                "callers without credentials may change repositories",
                ActionNames.Format(rule.Actions),
                "Grant them \"reader\" at most.");
        }

        if (rule.Effect == RuleEffect.Deny && !rule.When.Claims.IsEmpty
            && !(rule.To is not [] && rule.To.All(static to => to.Kind == SubjectSelectorKind.Issuer)))
        {
            Warn(
                "a deny by claim also refuses callers who have no such claim, people included",
                rule.When.Claims[0].Name,
                "Name the issuer: \"to: [ issuer:… ]\".");
        }

        void Warn(string what, string found, string cure) =>
            Warnings.Add(file.Problem(map, $"rule \"{rule.Identity.Name}\": {what}", found, cure));
    }

    private void WarnAboutGroups()
    {
        var used = _rules.Values.SelectMany(
            static rule => rule.Value.To.Concat(rule.Value.Unless), static (rule, selector) => (rule, selector))
            .Where(static use => use.selector.Kind == SubjectSelectorKind.Group).ToList();
        var nested = _groups.Values.SelectMany(static group => group.Value.Members)
            .Where(static member => member.Kind == SubjectSelectorKind.Group).Select(static member => member.Name);
        var names = used.Select(static use => use.selector.Name).Concat(nested).ToHashSet(StringComparer.Ordinal);
        foreach (var group in _groups.Values.Where(group => !names.Contains(group.Value.Name)))
        {
            Warnings.Add(group.File.Problem(
                group.At, "no rule uses this group", group.Value.Name, "Remove it or name it in a rule."));
        }

        // Groups may also come from an identity provider, so an undeclared one is no mistake unless it looks like one.
        foreach (var (rule, selector) in used.Where(use => !_groups.ContainsKey(use.selector.Name)))
        {
            if (NearestName.Of(selector.Name, _groups.Keys) is { } nearest)
            {
                Warnings.Add(rule.File.Problem(
                    rule.At,
                    $"rule \"{rule.Value.Identity.Name}\": no policy file declares this group",
                    selector.Name,
                    $"Did you mean \"{nearest}\"?"));
            }
        }
    }

    private sealed record Declared<T>(T Value, YamlFile File, YamlValue At)
    {
        public string Where => $"{File.Name}:{At.Line}";
    }
}
