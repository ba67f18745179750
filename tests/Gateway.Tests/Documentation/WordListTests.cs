using System.Text.RegularExpressions;
using Gateway.Tests.Support;

namespace Gateway.Tests.Documentation;

/// <summary>Holds everything that people read to the word list, docs/words.md.</summary>
public sealed class WordListTests
{
    private static readonly IReadOnlyList<(string Instead, Regex Word)> Words =
    [
        .. File.ReadLines(Path.Combine(RepositoryRoot.Path, "docs", "words.md"))
            .Where(
                static line => line.StartsWith("| ", StringComparison.Ordinal)
                    && !line.StartsWith("| write ", StringComparison.Ordinal))
            .Select(static line => line.Split('|', StringSplitOptions.TrimEntries))
            .SelectMany(static cells => cells[2].Split(", ").Select(word => (cells[1], new Regex(
                $@"\b{Regex.Escape(word)}\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
                TimeSpan.FromSeconds(5))))),
    ];

    [Fact]
    public void List_IsRead() =>
        Assert.Contains(Words, static word => word.Instead == "fix" && word.Word.IsMatch("The cure."));

    [Fact]
    public void Pages_UseTheWords() => AssertNone(MarkdownPage.All()
        .Where(static page => page.Name is not ("docs/words.md" or "CHANGELOG.md"))
        .SelectMany(static page => File.ReadLines(Path.Combine(RepositoryRoot.Path, page.Name))
            .SelectMany((line, i) => Faults($"{page.Name}:{i + 1}", line))));

    [Theory]
    [InlineData("src/Gateway.Client/Doctor/problems.yaml")]
    [InlineData("src/Gateway.Client/Doctor/Explain/messages.yaml")]
    [InlineData("config/gateway.yaml")]
    [InlineData("config/policies/samples.yaml")]
    [InlineData("config/policies/samples.test.yaml")]
    [InlineData("compose/docker-compose.yml")]
    [InlineData("compose/up")]
    public void Texts_UseTheWords(string file) => AssertNone(File.ReadLines(Path.Combine(RepositoryRoot.Path, file))
        .SelectMany((line, i) => Faults($"{file}:{i + 1}", line)));

    [Fact]
    public void Strings_UseTheWords() => AssertNone(Directory
        .EnumerateFiles(Path.Combine(RepositoryRoot.Path, "src"), "*.cs", SearchOption.AllDirectories)
        .Where(
            static file => !file.Contains("/obj/", StringComparison.Ordinal)
                && !file.Contains("/bin/", StringComparison.Ordinal))
        .SelectMany(static file => SourceStrings.In(File.ReadAllText(file))
            .SelectMany(text => Faults($"{Path.GetRelativePath(RepositoryRoot.Path, file)}:{text.Line}", text.Text))));

    private static void AssertNone(IEnumerable<string> faults)
    {
        var all = string.Join('\n', faults);
        Assert.True(all.Length == 0, all);
    }

    private static IEnumerable<string> Faults(string place, string text) =>
        from word in Words
        where word.Word.IsMatch(text)
        select $"{place}: \"{word.Word.Match(text).Value}\": write \"{word.Instead}\": {text.Trim()}";
}
