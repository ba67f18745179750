using System.Collections.Frozen;
using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Client.Doctor;

/// <summary>Every problem that the doctor knows, from <c>problems.yaml</c>, the source of the pages.</summary>
internal sealed class ProblemCatalog
{
    private const string ResourceName = "problems.yaml";

    private static readonly Lazy<ProblemCatalog> Loaded = new(Load);

    private readonly FrozenDictionary<string, ProblemPage> _byId;

    private ProblemCatalog(List<ProblemPage> pages)
    {
        Pages = pages;
        _byId = pages.ToFrozenDictionary(static page => page.Id, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>The catalog.</summary>
    public static ProblemCatalog Instance => Loaded.Value;

    /// <summary>All, in the order of the file.</summary>
    public IReadOnlyList<ProblemPage> Pages { get; }

    /// <summary>The page of an id, ignoring case; <see langword="null"/> if there is none.</summary>
    public ProblemPage? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>Where the page is, from the root of the repository.</summary>
    public static string PathOf(string id) => $"docs/problems/{id}.md";

    /// <summary>The page in Markdown.</summary>
    public static string Write(ProblemPage page)
    {
        var text = new StringBuilder();
        text.Append($"# {page.Id}: {page.Title}\n\n{page.Means.Trim()}\n");
        AppendList("Causes", page.Causes);
        AppendList("Fix", page.Fix);
        if (page.See.Count > 0)
        {
            text.Append("\nSee ").AppendJoin(", ", page.See.Select(static see => $"[{see}](../{see})")).Append(".\n");
        }

        return text.ToString();

        void AppendList(string title, IReadOnlyList<string> items)
        {
            text.Append($"\n## {title}\n\n");
            for (var i = 0; i < items.Count; i++)
            {
                text.Append(items.Count > 1 ? $"{i + 1}. {items[i].Trim()}\n" : $"{items[i].Trim()}\n");
            }
        }
    }

    /// <summary>The list of all pages in Markdown.</summary>
    public string WriteIndex()
    {
        var text = new StringBuilder(
            "# Problems\n\nWhat `gateway doctor` finds, by its id. `gateway doctor explain TLS004` prints a page "
                + "without the network.\n");
        foreach (var area in Pages.GroupBy(static page => page.Id[..3]))
        {
            text.Append("\n| id | problem |\n|---|---|\n");
            foreach (var page in area)
            {
                text.Append($"| [{page.Id}]({page.Id}.md) | {page.Title} |\n");
            }
        }

        return text.ToString();
    }

    private static ProblemCatalog Load() =>
        new(EmbeddedYaml.Read(EmbeddedYaml.Text(ResourceName), ResourceName, ReadPage));

    private static ProblemPage? ReadPage(YamlMapping mapping, ProblemCollector problems) =>
        mapping.Word("id", problems) is { } id
        && mapping.Word("title", problems) is { } title
        && mapping.Word("means", problems) is { } means
            ? new ProblemPage(
                id,
                title,
                means,
                mapping.Words("causes", problems),
                mapping.Words("fix", problems),
                mapping.Words("see", problems))
            : null;
}
