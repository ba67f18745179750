using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Registry;

public sealed class RegistryLocationTests
{
    [Theory]
    [InlineData("")]
    [InlineData("http://registry:5000")]
    [InlineData("https://10.0.0.1")]
    [InlineData("HTTP://[::1]:5000")]
    public void TryParse_UploadInAnyForm_KeepsItsQueryByteForByte(string origin)
    {
        const string Query = "?_state=AbC_-0%3d&x=%2f+&_state=again;%zz";

        Assert.True(RegistryLocation.TryParse(
            $"{origin}/v2/team/app/blobs/uploads/{Samples.UploadId}{Query}", out var location));

        Assert.Equal("team/app", location.Repository.Value);
        Assert.Equal(Samples.UploadId, location.Upload?.Value);
        Assert.Null(location.Blob);
        Assert.Null(location.Manifest);
        Assert.Equal(Query, location.RawQuery);
        Assert.Equal(
            $"/v2/mirror/team/app/blobs/uploads/{Samples.UploadId}{Query}",
            location.ToPathAndQuery(RepositoryName.Parse("mirror/team/app")));
        Assert.Equal(
            $"/v2/mirror/team/app/blobs/uploads/{Samples.UploadId}?_ticket={Samples.Ticket}",
            location.ToPathAndQuery(RepositoryName.Parse("mirror/team/app"), Samples.Ticket));
    }

    [Theory]
    [InlineData("?digest=x")]
    [InlineData("?mount=x")]
    [InlineData("?from=x")]
    [InlineData("?_ticket=x")]
    [InlineData("?digest")]
    [InlineData("?_state=a&digest=x")]
    [InlineData("?_state=a&&Digest=x")]
    [InlineData("?_state=a&FROM=x")]
    [InlineData("?_state=a&%64igest=x")]
    [InlineData("?_state=a&%2564igest=x")]
    [InlineData("?_state=a&dig%65st=x")]
    [InlineData("?_state=a&+digest=x")]
    [InlineData("?_state=a&digest%20=x")]
    [InlineData("?_state=a&%5fticket=x")]
    [InlineData("?_state=a;digest=x")]
    [InlineData("?_state=a;x;%6dount=x&b=c")]
    [InlineData("??digest=x")]
    public void TryParse_UploadWhoseQueryNamesWhatIsDecided_Refuses(string query)
    {
        // It would stand in front of the digest that the client named, and the first one wins.
        Assert.False(RegistryLocation.TryParse("/v2/a/blobs/uploads/u" + query, out _));
        // nothing is sent back there
        Assert.True(RegistryLocation.TryParse("/v2/a/blobs/" + Samples.Sha256 + query, out _));
    }

    [Theory]
    [InlineData("?_state=digest=x")]
    [InlineData("?_state=a%26digest%3Dx")]
    [InlineData("?digest-algorithm=x&digests=y&xfrom=z&from.x=a&state=b&ticket=c")]
    [InlineData("?n=1&last=2&N=3&mou%zznt=x")]
    [InlineData("?")]
    [InlineData("?&&")]
    [InlineData("?;")]
    public void TryParse_UploadWithAnotherQuery_KeepsIt(string query)
    {
        Assert.True(RegistryLocation.TryParse("/v2/a/blobs/uploads/u" + query, out var location));
        Assert.Equal(query, location.RawQuery);
    }

    [Fact]
    public void TryParse_QueryAtAndBeyondTheLimit_AcceptsTheFirstOnly()
    {
        Assert.True(RegistryLocation.TryParse("/v2/a/blobs/uploads/u?" + new string('a', 4095), out _));
        Assert.False(RegistryLocation.TryParse("/v2/a/blobs/uploads/u?" + new string('a', 4096), out _));
    }

    [Theory]
    [InlineData("/v2/a/b/blobs/" + Samples.Sha256)]
    [InlineData("/v2/a/b/manifests/" + Samples.Sha256)]
    [InlineData("/v2/a/b/manifests/latest")]
    [InlineData("/v2/a/b/blobs/" + Samples.Sha512 + "?ns=x")]
    [InlineData("/v2/blobs/uploads/blobs/uploads/x?")]
    public void TryParse_BlobOrManifest_GivesItBack(string path)
    {
        Assert.True(RegistryLocation.TryParse("http://registry:5000" + path, out var location));

        Assert.Equal(path, location.ToPathAndQuery());
        Assert.True((location.Blob is null ? 0 : 1) + (location.Manifest is null ? 0 : 1)
            + (location.Upload is null ? 0 : 1) == 1);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("http://registry")]
    [InlineData("http:///v2")]
    [InlineData("https://bucket.s3.example.com/docker/registry/v2/blobs/sha256/01/data?X-Amz-Signature=x")]
    [InlineData("//registry/v2/a/blobs/uploads/x")]
    [InlineData("ftp://registry/v2/a/blobs/uploads/x")]
    [InlineData("v2/a/blobs/uploads/x")]
    [InlineData("http://registry\\@evil/v2/a/blobs/uploads/x")]
    [InlineData("http://registry?/v2/a/blobs/uploads/x")]
    [InlineData("/prefix/v2/a/blobs/uploads/x")]
    [InlineData("/V2/a/blobs/uploads/x")]
    [InlineData("/v2/A/blobs/uploads/x")]
    [InlineData("/v2/a/../b/blobs/uploads/x")]
    [InlineData("/v2/a%2Fb/blobs/uploads/x")]
    [InlineData("/v2/a/blobs/uploads/..")]
    [InlineData("/v2/a/blobs/uploads/")]
    [InlineData("/v2/a/tags/list")]
    [InlineData("/v2/_catalog")]
    [InlineData("/v2/")]
    [InlineData("/v2/a/blobs/uploads/x#f")]
    [InlineData("/v2/a/blobs/uploads/x?a b")]
    [InlineData("/v2/a/blobs/uploads/x?a\r\nSet-Cookie: x")]
    [InlineData("/v2/a/blobs/uploads/x?é")]
    [InlineData("/v2/a/blobs/uploads/x?\"<>")]
    public void TryParse_AnythingElse_Refuses(string? location) =>
        Assert.False(RegistryLocation.TryParse(location, out _));
}
