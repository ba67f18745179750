using System.Text.RegularExpressions;
using Gateway.Client.Doctor.Explain;
using Gateway.Foundation.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Client.Doctor.Explain;

public partial class KnownProblemReaderTests
{
    private static readonly string[] Checks =
    [
        "TLS001", "TLS002", "TLS004", "TLS006", "TLS007", "TLS008", "TLS009", "TLS010", "TLS011", "TLS021", "TLS022",
        "TLS023",
        "TLS024", "TLS025", "NET003", "NET004", "NET006", "NET007", "CHL001", "CHL002", "CHL003", "CHL004", "CHL005",
        "CHL006",
        "TKN001", "TKN002", "TKN003", "TKN004", "TKN005", "UPL001", "UPL002", "UPL003", "LIM010", "PRX001", "PRX002",
        "PRX004",
        "DCK001", "DCK002", "DCK003", "DCK004", "DCK005", "UPS001", "UPS004", "RED001", "ISS001",
    ];

    [Fact]
    public void ReadEmbedded_EachProblem_IsWhole()
    {
        var problems = ErrorExplainer.Default.Problems;

        Assert.All(problems, static problem =>
        {
            Assert.True(
                problem.Id.All(static one => one is '-' or (>= 'a' and <= 'z') or (>= '0' and <= '9')), problem.Id);
            Assert.EndsWith(".", problem.Problem, StringComparison.Ordinal);
            Assert.NotEmpty(problem.Causes);
            Assert.NotEmpty(problem.Next);
            Assert.NotEmpty(problem.Patterns);
            Assert.Subset(Checks.ToHashSet(), problem.Checks.ToHashSet());
            Assert.Equal(problem.Checks.Distinct(), problem.Checks);
            Assert.All(problem.Patterns, static pattern => Assert.NotEmpty(pattern.Source));
        });
        Assert.Equal(problems.Count, problems.Select(static problem => problem.Id).Distinct().Count());
        var templates = problems.SelectMany(static problem => problem.Patterns).Select(
            static pattern => pattern.Template.Text).ToList();
        Assert.Equal(templates.Count, templates.Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Fact]
    public void ReadEmbedded_MessagesOfThisGateway_AreThoseOfItsSource()
    {
        // As one text: a literal that is broken over lines, and the quotes in it, as a client prints them.
        var source = Broken().Replace(
            string.Join(' ', Directory
                .EnumerateFiles(Path.Combine(RepositoryRoot.Path, "src"), "*.cs", SearchOption.AllDirectories)
                .Select(File.ReadAllText)),
            "").Replace("\\\"", "\"", StringComparison.Ordinal);

        Assert.All(
            KnownProblemReader.ReadEmbedded().SelectMany(static problem => problem.Patterns)
                .Where(static pattern => pattern.Client == "this gateway"),
            pattern =>
            {
                Assert.True(File.Exists(Path.Combine(RepositoryRoot.Path, pattern.Source)), pattern.Source);
                Assert.All(
                    pattern.Template.ToString().Split(["{}", ": "], StringSplitOptions.TrimEntries),
                    part => Assert.True(source.Contains(part.Trim('(', ')', ':'), StringComparison.Ordinal), part));
            });
    }

    [Theory]
    [InlineData("- problem: 'It.'\n  causes: []\n  next: []\n  checks: []\n  patterns: []\n", "id")]
    [InlineData(
        "- id: a\n  kind: other\n  problem: 'It.'\n  causes: []\n  next: []\n  checks: []\n  patterns: []\n", "kind")]
    [InlineData(
        "- id: a\n  problem: 'It.'\n  causes: []\n  next: []\n  checks: []\n  patterns:\n    - text: '{} ends'\n      "
            + "client: a\n      source: b\n", "template")]
    [InlineData("id: a\n", "list")]
    public void Read_BrokenFile_NamesWhatIsWrong(string text, string expected)
    {
        var exception = Assert.Throws<ProblemException>(() => KnownProblemReader.Read(text));

        Assert.Contains(expected, exception.Problems[0].ToString(), StringComparison.Ordinal);
    }

    [GeneratedRegex("\"\\s*\\+\\s*\\$?\"")]
    private static partial Regex Broken();
}
