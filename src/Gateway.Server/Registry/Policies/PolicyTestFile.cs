using System.Globalization;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Registry.Policies;

/// <summary>A question with the answer it must have.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Place"><c>file:line</c>.</param>
/// <param name="Request">The question.</param>
/// <param name="IsAllowed">The answer.</param>
/// <param name="Rule">The rule that must decide, where one is named.</param>
internal sealed record PolicyTest(string Name, string Place, AccessRequest Request, bool IsAllowed, string? Rule);

/// <summary>Reads <c>*.test.yaml</c>: questions with expected answers, beside the policies.</summary>
internal static class PolicyTestFile
{
    /// <summary>
    /// When questions without a time are asked: a Wednesday, noon UTC, so that answers do not change by the hour.
    /// </summary>
    public static readonly DateTimeOffset DefaultTime = new(2025, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly string[] TestKeys =
    [
        "name", "subject", "groups", "method", "claims", "address", "time", "registry", "action", "repository", "tag",
        "expect", "rule",
    ];

    private static readonly string[] RequiredKeys = ["name", "subject", "action", "repository", "expect"];

    /// <summary>The questions of a file; what is wrong is added to <paramref name="problems"/>.</summary>
    public static IReadOnlyList<PolicyTest> Read(string path, bool requiresEnd, ProblemCollector problems)
    {
        // Nor may it be empty: policies that fail no question because half of them are gone have passed nothing.
        if (PolicyFile.Read(path, requiresEnd, problems) is not { } root)
        {
            return [];
        }

        problems.CheckKeys(root, "tests");
        switch (root.Find("tests"))
        {
            case YamlList list:
                return [.. list.Items
                    .Select(item => problems.Map(item, "tests", "Begin each test with \"- name: …\"."))
                    .OfType<YamlMapping>().Select(map => ReadTest(map, problems)).OfType<PolicyTest>()];
            case YamlRefused:
                return [];
            default:
                problems.Add(
                    root.Position,
                    "no list of tests",
                    null,
                    "Begin with \"tests:\" and each test with \"- name: …\"; if none are meant, write \"tests: []\".");
                return [];
        }
    }

    private static PolicyTest? ReadTest(YamlMapping map, ProblemCollector problems)
    {
        problems.CheckKeys(map, TestKeys);
        var missing = RequiredKeys.Where(key => map.Find(key) is null).ToList();
        foreach (var key in missing)
        {
            problems.Add(map.Position, $"a test without \"{key}\"", null, $"Add \"{key}: …\".");
        }

        // A question without its refused part would be another question.
        if (missing is not [] || map.Entries.Exists(static entry => entry.Value is YamlRefused))
        {
            return null;
        }

        var expect = Text("expect");
        if (expect is not (null or "allow" or "deny"))
        {
            problems.Add(map.Find("expect")!.Position, "expect: neither allow nor deny", expect,
                "Write allow or deny.");
        }

        var question = new PolicyQuestion
        {
            Subject = Text("subject") ?? "",
            Groups = map.Find("groups") is { } groups
                ? [.. problems.Texts(groups, "groups", "Write names of groups.").Select(static item => item.Text)]
                : [],
            Method = Text("method"),
            Claims = ReadClaims(map.Find("claims"), problems),
            Address = Text("address") ?? "127.0.0.1",
            Time = ReadTime(map.Find("time"), problems),
            Registry = Text("registry") ?? PolicyQuestion.DefaultRegistry,
            Action = Text("action") ?? "",
            Repository = Text("repository") ?? "",
            Tag = Text("tag"),
        };
        if (!question.TryBuild(out var request, out var problem))
        {
            problems.Add(map.Position, problem, null, "Correct it.");
            return null;
        }

        return new PolicyTest(
            Text("name") ?? "",
            $"{map.Position.Origin}:{map.Position.Line}",
            request,
            expect == "allow",
            Text("rule"));

        string? Text(string key) =>
            map.Find(key) is { } value ? problems.Text(value, key, "Write one text.") : null;
    }

    private static Dictionary<string, string> ReadClaims(YamlNode? value, ProblemCollector problems)
    {
        var claims = new Dictionary<string, string>(StringComparer.Ordinal);
        if (value is not null
            && problems.Map(value, "claims", "Write \"name: value\" lines below it.") is { } map)
        {
            foreach (var (name, _, claim) in map.Entries)
            {
                claims[name] = problems.Text(claim, name, "Write the claim's value.") ?? "";
            }
        }

        return claims;
    }

    private static DateTimeOffset ReadTime(YamlNode? value, ProblemCollector problems)
    {
        const string fix = "Write an instant with its zone, such as 2025-01-01T12:00:00Z.";
        if (value is null || problems.Text(value, "time", fix) is not { } text)
        {
            return DefaultTime;
        }

        if (!TryParseTime(text, out var time))
        {
            problems.Add(value.Position, "time: not an instant", text, fix);
        }

        return time;
    }

    /// <summary>Reads an instant such as <c>2025-01-01T12:00:00Z</c>; the zone is part of it.</summary>
    public static bool TryParseTime(string text, out DateTimeOffset time) => DateTimeOffset.TryParseExact(
        text,
        ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK"],
        CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal,
        out time);
}
