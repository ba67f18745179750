using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Registry.Policies;

/// <summary>Reads groups: names for lists of users, robots and other groups.</summary>
internal sealed class GroupReader(ProblemCollector problems)
{
    private const int MaxDepth = 16;

    private readonly Dictionary<string, Declared<PolicyGroup>> _groups = new(StringComparer.Ordinal);

    /// <summary>All groups read so far.</summary>
    public IReadOnlyDictionary<string, Declared<PolicyGroup>> Groups => _groups;

    /// <summary>Reads a file's <c>groups</c>.</summary>
    public void Read(YamlNode section)
    {
        if (problems.Map(section, "groups", "Write \"name: [alice, bob]\" lines below it.") is not { } map)
        {
            return;
        }

        foreach (var (name, at, members) in map.Entries)
        {
            var group = new PolicyGroup(name, [.. ReadMembers(members, name)]);
            if (!SubjectSelector.IsName(name))
            {
                problems.Add(at, "groups: not a name", name,
                    "Use 1 to 256 characters without leading or trailing spaces.");
            }
            else if (!_groups.TryAdd(name, new(group, at)))
            {
                // Merged silently, one team's file could add members to another team's group.
                problems.Add(
                    at,
                    $"group already declared in {_groups[name].Where}",
                    name,
                    "Declare a group once; nest groups with \"group:NAME\" among the members.");
            }
        }
    }

    /// <summary>Reports groups that contain themselves, and nesting that is too deep.</summary>
    public void CheckCircles()
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
            if (at >= 0 || path.Count == MaxDepth)
            {
                var circle = string.Join(" → ", path.Skip(Math.Max(at, 0)).Append(name));
                problems.Add(
                    group.At,
                    at >= 0 ? "groups: a circular reference" : $"groups: nested more than {MaxDepth} deep",
                    circle,
                    "Remove one of the groups from another.");
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

    private IEnumerable<SubjectSelector> ReadMembers(YamlNode value, string group)
    {
        if (value is YamlList { Items: [] })
        {
            yield break; // a group that nobody is in yet
        }

        const string fix = "Write a list of user names, robot:NAME or group:NAME.";
        foreach (var (at, text) in problems.Texts(value, "groups." + group, fix))
        {
            var selector = new SubjectSelector(SubjectSelectorKind.User, text);
            if (text.Contains(':', StringComparison.Ordinal)
                && !(SubjectSelector.TryParse(text, out selector) && selector.Kind is not SubjectSelectorKind.Issuer))
            {
                problems.Add(at, $"groups.{group}: unknown kind of member", text, fix);
            }
            else if (!SubjectSelector.IsName(selector.Name))
            {
                problems.Add(at, $"groups.{group}: not a name", text, fix);
            }
            else if (text is "anonymous" or "authenticated" or "everyone")
            {
                problems.Add(
                    at,
                    $"groups.{group}: not a member but a kind of caller",
                    text,
                    $"Use it under \"to\" of a rule; a user of that name is \"user:{text}\".");
            }
            else
            {
                yield return selector;
            }
        }
    }
}
