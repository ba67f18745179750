using Gateway.Tests.Support;

namespace Gateway.Tests.Documentation;

/// <summary>Links between the pages.</summary>
public sealed class LinkTests
{
    [Fact]
    public void Pages_EveryRelativeLink_LeadsToAFileAndItsHeading()
    {
        var broken = MarkdownPage.All().SelectMany(static page => page.Links
            .Select(link => (Where: $"{page.Name}:{link.Line}", link.Target, Fault: FaultOf(page, link.Target)))
            .Where(static link => link.Fault is not null)
            .Select(static link => $"{link.Where}: {link.Target}: {link.Fault}")).ToList();

        Assert.True(broken.Count == 0, string.Join('\n', broken));
    }

    [Fact]
    public void Pages_EachOne_IsLinkedFromTheReadme()
    {
        var linked = MarkdownPage.Read("README.md").Links.Select(static link => link.Target.Split('#')[0]).ToHashSet();

        Assert.DoesNotContain(
            MarkdownPage.All(),
            page => page.Name != "README.md" && !linked.Contains(page.Name) && !IsOfTheIndex(page.Name));
    }

    [Theory]
    [InlineData("https://example.com/x")]
    [InlineData("README.md")]
    [InlineData("docs/operations.md#the-audit-file-and-logrotate")]
    public void Fault_GoodLink_IsNone(string target)
    {
        Assert.Null(FaultOf(MarkdownPage.Read("README.md"), target));
    }

    [Theory]
    [InlineData("nowhere.md")]
    [InlineData("docs/operations.md#no-such-heading")]
    [InlineData("#no-such-heading")]
    public void Fault_BrokenLink_IsSaid(string target)
    {
        Assert.NotNull(FaultOf(MarkdownPage.Read("README.md"), target));
    }

    // Their index is linked, and links each.
    private static bool IsOfTheIndex(string page) =>
        page.StartsWith("docs/problems/", StringComparison.Ordinal) && page != "docs/problems/README.md";

    private static string? FaultOf(MarkdownPage page, string target)
    {
        if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal))
        {
            return null;
        }

        var parts = target.Split('#', 2);
        var name = parts[0].Length == 0
            ? page.Name
            : Path.GetRelativePath(
                RepositoryRoot.PathOf(),
                Path.GetFullPath(Path.Combine(RepositoryRoot.PathOf(page.Name), "..", parts[0])));
        if (!File.Exists(RepositoryRoot.PathOf(name)) && !Directory.Exists(RepositoryRoot.PathOf(name)))
        {
            return "there is no such file";
        }

        return parts.Length == 1 || MarkdownPage.Read(name).Anchors.Contains(parts[1])
            ? null
            : "there is no such heading";
    }
}
