using System.Globalization;
using Gateway.Core.Authorization;

namespace Gateway.Authorization;

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

    /// <summary>The questions of a file; what is wrong is reported to it.</summary>
    public static IReadOnlyList<PolicyTest> Read(YamlFile file)
    {
        if (file.Root is null)
        {
            return [];
        }

        if (!file.Keys(file.Root, "tests").TryGetValue("tests", out var value) || value is not YamlList list)
        {
            file.Report(file.Root, "no list of tests", null, "Begin with \"tests:\" and each test with \"- name: …\".");
            return [];
        }

        return [.. list.Items
            .Select(item => file.Map(item, "tests", "Begin each test with \"- name: …\"."))
            .OfType<YamlMap>().Select(map => ReadTest(file, map)).OfType<PolicyTest>()];
    }

    private static PolicyTest? ReadTest(YamlFile file, YamlMap map)
    {
        var keys = file.Keys(map, TestKeys);
        var missing = RequiredKeys.Where(key => !keys.ContainsKey(key)).ToList();
        foreach (var key in missing)
        {
            file.Report(map, $"a test without \"{key}\"", null, $"Add \"{key}: …\".");
        }

        if (missing is not [])
        {
            return null;
        }

        var expect = Text("expect");
        if (expect is not (null or "allow" or "deny"))
        {
            file.Report(keys["expect"], "expect: neither answer", expect, "Write allow or deny.");
        }

        var question = new PolicyQuestion
        {
            Subject = Text("subject") ?? "",
            Groups = keys.TryGetValue("groups", out var groups)
                ? [.. file.Texts(groups, "groups", "Write names of groups.").Select(static item => item.Text)]
                : [],
            Method = Text("method"),
            Claims = ReadClaims(file, keys),
            Address = Text("address") ?? "127.0.0.1",
            Time = ReadTime(file, keys),
            Registry = Text("registry") ?? PolicyQuestion.DefaultRegistry,
            Action = Text("action") ?? "",
            Repository = Text("repository") ?? "",
            Tag = Text("tag"),
        };
        if (!question.TryBuild(out var request, out var problem))
        {
            file.Report(map, problem, null, "Correct it.");
            return null;
        }

        return new PolicyTest(Text("name") ?? "", $"{file.Path}:{map.Line}", request, expect == "allow", Text("rule"));

        string? Text(string key) =>
            keys.TryGetValue(key, out var value) ? file.Text(value, key, "Write one text.") : null;
    }

    private static Dictionary<string, string> ReadClaims(YamlFile file, Dictionary<string, YamlValue> keys)
    {
        var claims = new Dictionary<string, string>(StringComparer.Ordinal);
        if (keys.TryGetValue("claims", out var value)
            && file.Map(value, "claims", "Write \"name: value\" lines below it.") is { } map)
        {
            foreach (var (name, claim) in file.Entries(map))
            {
                claims[name] = file.Text(claim, name, "Write the claim's value.") ?? "";
            }
        }

        return claims;
    }

    private static DateTimeOffset ReadTime(YamlFile file, Dictionary<string, YamlValue> keys)
    {
        const string cure = "Write an instant with its zone, such as 2025-01-01T12:00:00Z.";
        if (!keys.TryGetValue("time", out var value) || file.Text(value, "time", cure) is not { } text)
        {
            return DefaultTime;
        }

        if (!TryParseTime(text, out var time))
        {
            file.Report(value, "time: not an instant", text, cure);
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
