using System.Globalization;
using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;
using Gateway.Tests.Support;

namespace Gateway.Tests.Foundation.Yaml;

/// <summary>What the fast parser reads, the library must read alike: values, kinds, positions, no problem.</summary>
public sealed class SimpleYamlParserTests
{
    private const string Policy = """
        # Policies of team a.
        groups:
          team-a: [ alice, "bob", 'carol', robot:ci ]   # members
          nobody: []
          "quoted key":
            - group:team-a
            - user:dora
        roles:
          releaser: [pull, push]
          none: {}

        rules:
          - name: team-a writes its repositories, of course (all)
            to: [ "group:team-a" ]
            role: writer
            on: [ "team-a/**" ]               # everything below

          # A comment between rules
          - name: "quoted: # not a comment"
            deny: [overwrite, delete]
            on:
              - area-1/**
              - library/x#y/**   # base images
            tags: [ "v*", 'release-*' ]
            when:
              address: [ 10.0.0.0/8, "2001:db8::/32" ]
              repository: acme/app
              time: { days: [mon, tue], from: "08:00", to: '18:00', timezone: Europe/Berlin }
          - { name: line, to: "group:team-a", role: reader, on: "team-*/**", when: { method: "ldap:*", a: http://x/y } }
          -  name: wide
             to: [
               "user:a",   # one
               user:b

             ]
             allow: pull
             on: a
          - name: umlaut äöü ← ü
            to: everyone
            deny: pull
            on: z
        """ + "\n";

    private const string Flat = "a:\n- b: 1\n  c:\n  - d\n  - e: f\n- g\nh: ~\ni: ''\nj: null\nk: l\n...\n";

    public static TheoryData<string> Texts => new(Policy, Flat, Sample("policies/samples.yaml"),
        Sample("policies/samples.test.yaml"), Sample("gateway.yaml"));

    [Theory]
    [InlineData(Policy)]
    [InlineData("a:\n- b: 1\n  c:\n  - d\n  - e: f\n- g\nh: ~\ni: ''\nj: null\n...\n")]
    public void TryRead_Everyday_IsReadWithoutTheLibrary(string text) =>
        Assert.NotNull(SimpleYamlParser.TryRead(text, "f.yaml", requiresEnd: false));

    [Fact]
    public void TryRead_TheSamplePolicies_AreReadWithoutTheLibrary()
    {
        Assert.NotNull(SimpleYamlParser.TryRead(Sample("policies/samples.yaml"), "f.yaml", requiresEnd: false));
        Assert.NotNull(SimpleYamlParser.TryRead(Sample("policies/samples.test.yaml"), "f.yaml", requiresEnd: false));
    }

    [Theory]
    [InlineData("a: &x 1\n")]
    [InlineData("a: *x\n")]
    [InlineData("a: !t 1\n")]
    [InlineData("<<: 1\n")]
    [InlineData("\"<<\": 1\n")]
    [InlineData("a: { '<<': 1 }\n")]
    [InlineData("a: 1\na: 2\n")]
    [InlineData("a: { b: 1, b: 2 }\n")]
    [InlineData("a: \"x\\n\"\n")]
    [InlineData("a: 'it''s'\n")]
    [InlineData("a: |\n  x\n")]
    [InlineData("a: x\n  y\n")]
    [InlineData("a: [ x\n  y ]\n")]
    [InlineData("a: 'x\n  y'\n")]
    [InlineData("a:\n")]
    [InlineData("? a\n: b\n")]
    [InlineData("a:\tb\n")]
    [InlineData("a: b\r\n")]
    [InlineData("---\na: b\n")]
    [InlineData("a: b\n---\nc: d\n")]
    [InlineData("a: b\n...\nc: d\n")]
    [InlineData("a: b: c\n")]
    [InlineData("a: [ b: c ]\n")]
    [InlineData("a: 'b'c\n")]
    [InlineData("a: [ b\nc: d\n")]
    [InlineData("a: [b] c\n")]
    [InlineData("a: { b }\n")]
    [InlineData("a: { b: 1 } }\n")]
    [InlineData("a: [ b,, c ]\n")]
    [InlineData(" a: 1\nb: 2\n")]
    [InlineData("a:\n  b: 1\n c: 2\n")]
    [InlineData("a:\n  - b\n - c\n")]
    [InlineData("- a\n")]
    [InlineData("a\n")]
    [InlineData("")]
    [InlineData("%YAML 1.1\n---\na: 1\n")]
    [InlineData("a: b\u2028c: d\n")]
    [InlineData("a: b\u0085c: d\n")]
    [InlineData("a: \u0001\n")]
    public void TryRead_AnythingElse_IsLeftToTheLibrary(string text) =>
        Assert.Null(SimpleYamlParser.TryRead(text, "f.yaml", requiresEnd: false));

    [Theory]
    [InlineData("a: b\n", false)]
    [InlineData("a: b\n...", true)]
    [InlineData("a: b\n...\n\n", true)]
    [InlineData("a: b\n....\n", false)]
    [InlineData("a: b\n ...\n", false)]
    public void TryRead_EndRequired_MustBeThere(string text, bool isThere) =>
        Assert.Equal(isThere, SimpleYamlParser.TryRead(text, "f.yaml", requiresEnd: true) is not null);

    [Theory]
    [MemberData(nameof(Texts))]
    public void TryRead_DamagedText_AgreesWithTheLibraryOrGivesUp(string text)
    {
        var random = new Random(42);
        Compare(text);
        var read = 0;
        for (var i = 0; i < 6_000; i++)
        {
            read += Compare(Damage(text, random)) ? 1 : 0;
        }

        Assert.True(read > 100, $"only {read} damaged texts were read: the comparison shows too little");
    }

    [Fact]
    public void TryRead_RandomText_AgreesWithTheLibraryOrGivesUp()
    {
        var random = new Random(7);
        string[] parts =
        [
            "a", "b", ":", ": ", "\n", "\n  ", "\n    ", "- ", "-", "[", "]", "{", "}", ",", " ", "\"", "'", "#", " #",
            "x y", "\"q\"", "'s'", "k: v", "- k: v", "\n- ", "\n  - ", "~", "null", "...", "---", "/", "*", "?", "|",
            "é", "a:", "b: ", "\"<<\": ", "[ a, b ]", "{ a: b }", "c: [", "d: {",
        ];
        var read = 0;
        for (var i = 0; i < 150_000; i++)
        {
            var text = new StringBuilder("r: ");
            for (var count = random.Next(1, 12); count > 0; count--)
            {
                text.Append(parts[random.Next(parts.Length)]);
            }

            read += Compare(text.ToString()) ? 1 : 0;
        }

        Assert.True(read > 1_000, $"only {read} texts were read: the comparison shows too little");
    }

    // Whether the fast parser read it.
    private static bool Compare(string text)
    {
        foreach (var requiresEnd in new[] { false, true })
        {
            if (SimpleYamlParser.TryRead(text, "f.yaml", requiresEnd) is { } fast)
            {
                var problems = new ProblemCollector();
                var slow = YamlReader.ReadByLibrary(text, "f.yaml", problems, showsValues: true, requiresEnd);
                var (found, expected) = (Describe(fast), slow is null ? "nothing" : Describe(slow));
                Assert.True(
                    found == expected && problems.Count == 0,
                    $"<<<{text}>>>\nfast: {From(found, expected)}\nlibrary: {From(expected, found)}\n"
                        + string.Join('\n', problems.ToList()));
                if (!requiresEnd)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static string From(string text, string other) =>
        text[Math.Max(text.AsSpan().CommonPrefixLength(other) - 40, 0)..];

    private static string Damage(string text, Random random)
    {
        const string alphabet = "ab1 \n:#-[]{},\"'*&!|>%@`?~.<\t\r\\/=+($é\u00a0\u2028";
        var damaged = new StringBuilder(text);
        for (var count = random.Next(1, 4); count > 0 && damaged.Length > 0; count--)
        {
            var at = random.Next(damaged.Length);
            switch (random.Next(6))
            {
                case 0:
                    damaged.Remove(at, 1);
                    break;
                case 1:
                    damaged.Insert(at, alphabet[random.Next(alphabet.Length)]);
                    break;
                case 2:
                    damaged[at] = alphabet[random.Next(alphabet.Length)];
                    break;
                case 3:
                    damaged.Insert(at, "  ");
                    break;
                case 4:
                    damaged.Remove(at, Math.Min(random.Next(1, 30), damaged.Length - at));
                    break;
                default:
                    var from = random.Next(damaged.Length);
                    damaged.Insert(at, damaged.ToString(from, Math.Min(random.Next(1, 30), damaged.Length - from)));
                    break;
            }
        }

        return damaged.ToString();
    }

    private static string Describe(YamlNode node)
    {
        var text = new StringBuilder();
        Append(node);
        return text.ToString();

        void Append(YamlNode one)
        {
            text.Append(CultureInfo.InvariantCulture, $"@{one.Position.Line}:{one.Position.Column}");
            switch (one)
            {
                case YamlScalar scalar:
                    text.Append(CultureInfo.InvariantCulture, $"<{scalar.Text}|{scalar.IsNull}>");
                    break;
                case YamlList list:
                    text.Append('[');
                    list.Items.ForEach(Append);
                    text.Append(']');
                    break;
                case YamlMapping mapping:
                    text.Append('{');
                    foreach (var (key, at, value) in mapping.Entries)
                    {
                        text.Append(CultureInfo.InvariantCulture, $"{key}@{at.Line}:{at.Column}=");
                        Append(value);
                    }

                    text.Append('}');
                    break;
                default:
                    text.Append("refused");
                    break;
            }
        }
    }

    private static string Sample(string name) =>
        File.ReadAllText(RepositoryRoot.PathOf(["config", .. name.Split('/')]));
}
