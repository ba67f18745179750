using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Tests.Foundation.Yaml;

public sealed class YamlReaderTests
{
    [Fact]
    public void Read_Document_KeepsThePlaceOfEachKeyAndValue()
    {
        var root = Assert.IsType<YamlMapping>(Read("a: 1\nb:\n  - x\n  - { c: 'y' }\n", out var problems));

        Assert.Empty(problems);
        Assert.Equal(["a", "b"], root.Entries.Select(static entry => entry.Key));
        Assert.Equal("f.yaml:2:1", root.Entries[1].Position.ToString());
        Assert.Equal("f.yaml:1:4", root.Find("a")!.Position.ToString());
        var list = Assert.IsType<YamlList>(root.Find("b"));
        Assert.Equal("f.yaml:3:5", list.Items[0].Position.ToString());
        var scalar = Assert.IsType<YamlScalar>(Assert.IsType<YamlMapping>(list.Items[1]).Find("c"));
        Assert.Equal("y", scalar.Text);
        Assert.Equal("f.yaml:4:10", scalar.Position.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("---\n")]
    [InlineData("---\n...\n")]
    [InlineData("~\n")]
    public void Read_EmptyDocument_IsAnEmptyMapping(string text)
    {
        Assert.Empty(Assert.IsType<YamlMapping>(Read(text, out var problems)).Entries);
        Assert.Empty(problems);
    }

    [Theory]
    [InlineData("a:", true)]
    [InlineData("a: ~", true)]
    [InlineData("a: null", true)]
    [InlineData("a: ''", false)]
    [InlineData("a: 'null'", false)]
    [InlineData("a: no", false)]
    public void Read_Scalar_IsNullOnlyUnquoted(string text, bool expected)
    {
        Assert.Equal(expected, Assert.IsType<YamlMapping>(Read(text, out _)).Find("a")!.IsNull);
    }

    [Theory]
    [InlineData("a: '*x'")]
    [InlineData("a: '&x'")]
    [InlineData("a: '!x'")]
    [InlineData("a: x*y&z!")]
    [InlineData("'<<x': 1")]
    [InlineData("--- # one document\na: 1\n...")]
    public void Read_TextNearToWhatIsRefused_IsRead(string text)
    {
        Assert.NotNull(Read(text, out var problems));
        Assert.Empty(problems);
    }

    [Theory]
    [InlineData("!![")] // the library fails inside on these two
    [InlineData(":\n[\na")]
    [InlineData("{")]
    [InlineData("%YAML 3.0\n---\na: 1")]
    public void Read_Malformed_IsOneProblem(string text)
    {
        Assert.Null(Read(text, out var problems));
        Assert.Contains(problems, static problem => problem.StartsWith("f.yaml:", StringComparison.Ordinal)
            && problem.Contains(": not YAML: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_AliasesThatWouldExpandToGigabytes_CostNothing()
    {
        var text = new StringBuilder("l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var level = 1; level < 30; level++)
        {
            text.Append($"l{level}: &l{level} [")
                .AppendJoin(", ", Enumerable.Repeat($"*l{level - 1}", 10))
                .Append("]\n");
        }

        Read(text.ToString(), out var problems);

        Assert.Equal(30, problems.Length);
    }

    [Theory]
    [InlineData("[", 1_000_000)]
    [InlineData("{a: ", 200_000)]
    [InlineData("- ", 500_000)]
    public void Read_EndlesslyNested_StopsAtTheCap(string piece, int times)
    {
        Assert.Null(Read(string.Concat(Enumerable.Repeat(piece, times)), out var problems));
        Assert.Contains("values are nested more than 32 deep", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("&a ", "[", 4_000_000)]
    [InlineData("!a ", "[", 4_000_000)]
    [InlineData("&a ", "{a: ", 500_000)]
    [InlineData("&a\n", "- ", 500_000)]
    public void Read_RefusedAndEndlesslyNested_StopsAtTheCap(string refused, string piece, int times)
    {
        // Read on to its end, this takes minutes.
        Assert.Null(Read(refused + string.Concat(Enumerable.Repeat(piece, times)), out var problems));
        Assert.Equal(2, problems.Length);
        Assert.Contains("not supported", problems[0], StringComparison.Ordinal);
        Assert.Contains("values are nested more than 32 deep", problems[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RefusedValueWhereValuesMayBeShown_ShowsIt()
    {
        const string text = "a: *x\nb: &y 1\nc: !z 1\n";

        Read(text, out var hidden);
        Read(text, out var shown, showsValues: true);

        Assert.All(hidden, static problem => Assert.DoesNotContain("found", problem, StringComparison.Ordinal));
        Assert.Equal(
            [" (found \"*x\"). Put", " (found \"&y\"). Put", " (found \"!z\"). Put"],
            shown.Select(static problem => problem[problem.IndexOf(" (", StringComparison.Ordinal)..][..18]));
    }

    [Fact]
    public void Read_PairWithoutBracesInAList_StandsWhereItBegins()
    {
        var root = Assert.IsType<YamlMapping>(Read("\na: [ b: c ]\n", out _));

        Assert.Equal("f.yaml:2:6", Assert.IsType<YamlList>(root.Find("a")).Items[0].Position.ToString());
    }

    [Fact]
    public void Read_RandomText_NeverThrows()
    {
        var random = new Random(20262);
        const string Pieces = "[{a:#-?\n ,]}!&*|>'\"%@`<~\\\t\0\u00e9\ud83d";
        for (var round = 0; round < 20_000; round++)
        {
            var text = string.Concat(
                Enumerable.Range(0, random.Next(1, 25)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            var root = Read(text, out var problems);
            Assert.True(root is not null || problems.Length > 0);
        }
    }

    private static YamlNode? Read(string text, out string[] problems, bool showsValues = false)
    {
        var collector = new ProblemCollector();
        var root = YamlReader.Read(text, "f.yaml", collector, showsValues);
        problems = [.. collector.ToList().Select(static problem => problem.ToString())];
        return root;
    }
}
