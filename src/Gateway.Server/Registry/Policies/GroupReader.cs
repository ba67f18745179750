using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Registry.Policies;

/// <summary>Reads the groups of one file: names for lists of users, robots and other groups.</summary>
internal sealed class GroupReader(ProblemCollector problems)
{
    private readonly List<Declared<PolicyGroup>> _declared = [];

    /// <summary>The groups declared.</summary>
    public IReadOnlyList<Declared<PolicyGroup>> Declared => _declared;

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
            else
            {
                _declared.Add(new(group, at));
            }
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
