using System.Text;
using System.Text.RegularExpressions;
using Gateway.Tests.Support;

namespace Gateway.Tests.Documentation;

/// <summary>
/// A page of the documentation: what it links to, what can be linked to in it, and its fenced blocks.
/// </summary>
internal sealed partial class MarkdownPage
{
    private MarkdownPage(string name, string text)
    {
        Name = name;
        var slugs = new Dictionary<string, int>();
        var block = new StringBuilder();
        string? fence = null;
        var (language, start, number) = ("", 0, 0);
        foreach (var line in text.Split('\n'))
        {
            number++;
            var bare = line.TrimStart();
            if (fence is not null)
            {
                if (bare.TrimEnd() == fence)
                {
                    Blocks.Add(new FencedBlock(language, block.ToString(), start));
                    fence = null;
                }
                else
                {
                    block.Append(line).Append('\n');
                }
            }
            else if (bare.StartsWith("```", StringComparison.Ordinal))
            {
                fence = "```";
                (language, start) = (bare[3..].Trim().Split(' ')[0], number);
                block.Clear();
            }
            else
            {
                ReadLine(line, number, slugs);
            }
        }
    }

    /// <summary>Its path from the repository's root.</summary>
    public string Name { get; }

    /// <summary>Targets of its links, as written, with the line that they stand in.</summary>
    public List<(string Target, int Line)> Links { get; } = [];

    /// <summary>What may stand behind <c>#</c>: its headings, as GitHub writes them.</summary>
    public HashSet<string> Anchors { get; } = [];

    /// <summary>Its fenced blocks.</summary>
    public List<FencedBlock> Blocks { get; } = [];

    /// <summary>The README and every page below docs.</summary>
    public static IReadOnlyList<MarkdownPage> All() =>
    [
        Read("README.md"),
        .. Directory.EnumerateFiles(RepositoryRoot.PathOf("docs"), "*.md", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(static file => Read(Path.GetRelativePath(RepositoryRoot.PathOf(), file))),
    ];

    /// <summary>One page.</summary>
    public static MarkdownPage Read(string name) => new(name, File.ReadAllText(RepositoryRoot.PathOf(name)));

    private void ReadLine(string line, int number, Dictionary<string, int> slugs)
    {
        if (Heading().Match(line) is { Success: true } heading)
        {
            var slug = SlugOf(heading.Groups[1].Value);
            var before = slugs.GetValueOrDefault(slug);
            slugs[slug] = before + 1;
            Anchors.Add(before == 0 ? slug : $"{slug}-{before}");
        }

        foreach (Match link in Link().Matches(Code().Replace(line, "code")))
        {
            Links.Add((link.Groups[1].Value, number));
        }
    }

    private static string SlugOf(string heading)
    {
        var text = Link().Replace(
            heading.Replace("`", "", StringComparison.Ordinal),
            static link => link.Value[1..link.Value.IndexOf(']', StringComparison.Ordinal)]);
        return string.Concat(text.Trim().ToLowerInvariant()
            .Where(static c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')
            .Select(static c => c == ' ' ? '-' : c));
    }

    [GeneratedRegex(@"^#{1,6} +(.+?) *#* *$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"\[[^\[\]]*\]\(([^()\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex Code();
}

/// <summary>A fenced block.</summary>
/// <param name="Language">The word behind the fence.</param>
/// <param name="Text">What stands in it.</param>
/// <param name="Line">The line of its fence.</param>
internal sealed record FencedBlock(string Language, string Text, int Line)
{
    /// <summary>The file that its first line, a comment, names; <see langword="null"/> where it names none.</summary>
    public string? File =>
        Language == "yaml" && Text.StartsWith("# ", StringComparison.Ordinal)
            ? Text[2..Text.IndexOf('\n', StringComparison.Ordinal)]
            : null;
}
