using System.Text.RegularExpressions;
using Gateway.Client.Doctor;
using Gateway.Server.Registry.Proxying;
using Gateway.Tests.Support;

namespace Gateway.Tests.Client.Doctor;

/// <summary>Ids in the code, problems.yaml and docs/problems are the same.</summary>
public sealed partial class ProblemCatalogTests
{
    private static readonly string Pages = Path.Combine(RepositoryRoot.Path, "docs", "problems");

    [Fact]
    public void Pages_AreWhatTheCatalogWrites()
    {
        foreach (var page in ProblemCatalog.Instance.Pages)
        {
            Assert.Equal(ProblemCatalog.Write(page), File.ReadAllText(Path.Combine(Pages, page.Id + ".md")));
        }

        Assert.Equal(ProblemCatalog.Instance.WriteIndex(), File.ReadAllText(Path.Combine(Pages, "README.md")));
        Assert.Equal(
            ProblemCatalog.Instance.Pages.Select(static page => page.Id + ".md")
                .Append("README.md")
                .Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(Pages)
                .Select(static file => Path.GetFileName(file))
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Ids_EachHasAPage_AndEachPageIsUsed()
    {
        string[] folders = ["Gateway", "Gateway.Client"];
        var used = folders.Select(static name => Path.Combine(RepositoryRoot.Path, "src", name, "Doctor"))
            .SelectMany(static folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .SelectMany(
                static file => Id().Matches(File.ReadAllText(file)).Select(static match => match.Groups[1].Value))
                    .ToHashSet(StringComparer.Ordinal);
        var known = ProblemCatalog.Instance.Pages.Select(static page => page.Id).ToHashSet(StringComparer.Ordinal);
        Assert.Empty(used.Except(known));
        Assert.Empty(known.Except(used));
    }

    [Fact]
    public void Pages_SayEverything_AndLeadSomewhere() => Assert.All(ProblemCatalog.Instance.Pages, static page =>
    {
        Assert.Matches("^[A-Z]{3}[0-9]{3}$", page.Id);
        Assert.False(page.Title.EndsWith('.') || page.Title.Length == 0);
        Assert.NotEmpty(page.Means);
        Assert.NotEmpty(page.Causes);
        Assert.NotEmpty(page.Fix);
        Assert.All(
            page.See,
            static see => Assert.True(File.Exists(Path.Combine(RepositoryRoot.Path, "docs", see.Split('#')[0])), see));
    });

    [Fact]
    public void Find_AnyCase_FindsIt()
    {
        Assert.Equal("TLS004", ProblemCatalog.Instance.Find("tls004")?.Id);
        Assert.Null(ProblemCatalog.Instance.Find("TLS999"));
    }

    [Fact]
    public void Pages_ThatQuoteTheGateway_QuoteItsWords()
    {
        var message = UpstreamErrors.Redirect("…").Message;
        Assert.Contains(
            message[message.IndexOf("redirects this", StringComparison.Ordinal)..message.IndexOf(
                ';', StringComparison.Ordinal)],
            ProblemCatalog.Instance.Find("UPS012")!.Means, StringComparison.Ordinal);
    }

    [GeneratedRegex("\"([A-Z]{3}[0-9]{3})\"")]
    private static partial Regex Id();
}
