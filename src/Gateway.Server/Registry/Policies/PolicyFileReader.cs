using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Registry.Policies;

/// <summary>Reads the groups, roles and rules of policy files that belong together.</summary>
internal static class PolicyFileReader
{
    private const string EmptyPolicy =
        "Write the complete file again; if it is meant to have no rules, write \"rules: []\".";

    private static readonly string[] Sections = ["groups", "roles", "rules"];

    /// <summary>Reads files.</summary>
    /// <param name="files">Their top levels.</param>
    /// <param name="registries">Names of the configured registries; <see langword="null"/> where unknown.</param>
    /// <param name="problems">Told of everything that is wrong.</param>
    /// <param name="warnings">Told of what is allowed but hardly meant.</param>
    public static PolicyDefinition Read(
        IReadOnlyList<YamlMapping> files,
        IReadOnlyCollection<string>? registries,
        ProblemCollector problems,
        PolicyWarnings warnings)
    {
        var roles = new RoleReader(problems);
        var groups = new GroupReader(problems);
        var rules = new RuleReader(problems, warnings, roles, registries);
        foreach (var file in files)
        {
            problems.CheckKeys(file, Sections);
            CheckContent(file, problems);
            ReadSection(file, "roles", roles.Read);
            ReadSection(file, "groups", groups.Read);
        }

        // Only now: a rule may use the role of a file that is read after its own.
        foreach (var file in files)
        {
            ReadSection(file, "rules", rules.Read);
        }

        groups.CheckCircles();
        warnings.CheckGroups(groups.Groups, rules.Rules);
        return new PolicyDefinition(
            [.. rules.Rules.Select(static rule => rule.Value)],
            [.. groups.Groups.Values.Select(static group => group.Value)]);
    }

    // What is left of a file that is being written, or that was cut off, when it is looked at: nothing, or a key with
    // nothing below it. A deny that was there must not be gone until the rest comes.
    private static void CheckContent(YamlMapping file, ProblemCollector problems)
    {
        if (file.Entries is [])
        {
            problems.Add(file.Position, "the file has none of rules, groups and roles", null, EmptyPolicy);
        }

        foreach (var entry in file.Entries.Where(static entry => Sections.Contains(entry.Key) && entry.Value.IsNull))
        {
            problems.Add(
                entry.Position,
                $"there is nothing below \"{entry.Key}\"",
                null,
                $"Write the complete file again; if none are meant, remove the key or write "
                + $"\"{entry.Key}: {(entry.Key == "rules" ? "[]" : "{}")}\".");
        }
    }

    private static void ReadSection(YamlMapping file, string key, Action<YamlNode> read)
    {
        if (file.Find(key) is { IsNull: false } section)
        {
            read(section);
        }
    }
}
