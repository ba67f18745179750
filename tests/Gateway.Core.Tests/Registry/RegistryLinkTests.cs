using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Registry;

public sealed class RegistryLinkTests
{
    [Theory]
    [InlineData("</v2/_catalog?last=b%2Fc&n=2>; rel=\"next\"", "b/c", 2)]
    [InlineData("</v2/_catalog?n=2&last=b/c>;rel=next", "b/c", 2)]
    [InlineData("<http://registry:5000/v2/a/tags/list?last=1.0>; title=\"x\"; rel=\"next\"", "1.0", null)]
    [InlineData("</v2/a/tags/list?n=10&last=v1&ns=x>; REL=\"NEXT\"", "v1", 10)]
    public void TryParse_NextPageOfAList_GivesLastAndSize(string link, string last, int? pageSize)
    {
        Assert.True(RegistryLink.TryParse(link, out var result));
        Assert.Equal(new RegistryLink(last, pageSize), result);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("<>")]
    [InlineData("<")]
    [InlineData("</v2/_catalog?last=a>")]
    [InlineData("</v2/_catalog?last=a>; rel=\"prev\"")]
    [InlineData("</v2/_catalog?last=a>; rel=\"next")]
    [InlineData("</v2/_catalog?n=1>; rel=\"next\"")]
    [InlineData("</v2/_catalog?last=a&last=b>; rel=\"next\"")]
    [InlineData("</v2/_catalog?last=a&n=x>; rel=\"next\"")]
    [InlineData("</v2/_catalog?last=%0A>; rel=\"next\"")]
    [InlineData("</v2/a/manifests/b?last=a>; rel=\"next\"")]
    [InlineData("<//registry/v2/_catalog?last=a>; rel=\"next\"")]
    [InlineData("/v2/_catalog?last=a; rel=\"next\"")]
    public void TryParse_AnythingElse_Refuses(string? link) => Assert.False(RegistryLink.TryParse(link, out _));
}
