using System.Globalization;
using System.Text;

namespace Gateway.Bench.Servers;

/// <summary>Policies of any size: a rule for each repository's own group, and those of the bench's callers.</summary>
internal static class PolicyFiles
{
    private const int RulesPerFile = 10_000;

    /// <summary>Writes the files of a policy into a folder, which is made.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="rules">How many rules there are of the kind that a large installation has many of.</param>
    public static void Write(string folder, int rules)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "bench.yaml"), $$"""
            rules:
              - { name: the bench, to: ["user:{{Lab.User}}"], role: owner, on: ["bench/**", "catalog/**"] }
              - { name: a guest, to: ["user:{{Lab.Guest}}"], role: reader, on: ["catalog/*-open"] }

            """);
        for (var first = 0; first < rules; first += RulesPerFile)
        {
            File.WriteAllText(FileOf(folder, first), TextOf(first, Math.Min(rules, first + RulesPerFile)));
        }
    }

    /// <summary>Adds one rule to one of the files, as an editor would: the whole file, renamed into place.</summary>
    /// <param name="folder">The folder of the policy.</param>
    /// <param name="rule">The rule, as YAML's flow style.</param>
    public static void AddRule(string folder, string rule)
    {
        var file = FileOf(folder, 0);
        File.WriteAllText(file + ".new", File.ReadAllText(file) + $"  - {rule}\n");
        File.Move(file + ".new", file, overwrite: true);
    }

    private static string FileOf(string folder, int first) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"rules-{first / RulesPerFile}.yaml"));

    private static string TextOf(int first, int end)
    {
        var text = new StringBuilder("groups:\n");
        for (var i = first; i < end; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"  group-{i}: [ user-{i} ]\n");
        }

        text.Append("rules:\n");
        for (var i = first; i < end; i++)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"  - {{ name: rule {i}, to: [ \"group:group-{i}\" ], role: writer, on: [ \"area-{i % 100}/repository-{i}\" ] }}\n");
        }

        return text.ToString();
    }
}
