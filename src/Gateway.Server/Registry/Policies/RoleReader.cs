using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Registry.Policies;

/// <summary>Reads the roles of one file: names for lists of actions.</summary>
internal sealed class RoleReader(ProblemCollector problems)
{
    private readonly List<DeclaredRole> _declared = [];

    /// <summary>The roles declared.</summary>
    public IReadOnlyList<DeclaredRole> Declared => _declared;

    /// <summary>Reads a file's <c>roles</c>.</summary>
    public void Read(YamlNode section)
    {
        if (problems.Map(section, "roles", "Write \"name: [pull, push]\" lines below it.") is not { } map)
        {
            return;
        }

        foreach (var (name, at, value) in map.Entries)
        {
            var actions = ReadActions(value, name, allowed: true);
            if (!SubjectSelector.IsName(name))
            {
                problems.Add(at, "roles: not a name", name,
                    "Use 1 to 256 characters without leading or trailing spaces.");
            }
            else
            {
                _declared.Add(new DeclaredRole(name, actions, at));
            }
        }
    }

    /// <summary>Reads a list of actions.</summary>
    /// <param name="value">The list, or one action.</param>
    /// <param name="key">Its key, for messages.</param>
    /// <param name="allowed">Whether they are to be allowed: then <c>all</c> is not offered.</param>
    public RepositoryActions ReadActions(YamlNode value, string key, bool allowed)
    {
        var fix = $"Write a list of {string.Join(", ", ActionNames.Names)}{(allowed ? "" : ", or all")}.";
        var actions = RepositoryActions.None;
        foreach (var (at, text) in problems.Texts(value, key, fix))
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
                problems.Add(
                    at,
                    $"{key}: unknown action",
                    text,
                    NearestName.Find(text, ActionNames.Names) is { } nearest ? $"Did you mean \"{nearest}\"?" : fix);
            }
        }

        if (allowed
            && (actions & (RepositoryActions.Push | RepositoryActions.Overwrite)) == RepositoryActions.Overwrite)
        {
            problems.Add(
                value.Position,
                $"{key}: overwrite without push",
                null,
                "Write push, which includes overwrite unless a rule denies it.");
        }

        return actions;
    }
}

/// <summary>A role that a policy file declares.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Actions">What it allows.</param>
/// <param name="At">Where.</param>
internal sealed record DeclaredRole(string Name, RepositoryActions Actions, SourcePosition At);
