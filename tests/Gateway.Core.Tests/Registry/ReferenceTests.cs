using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Registry;

public sealed class ReferenceTests
{
    [Theory]
    [InlineData("latest")]
    [InlineData("1.4")]
    [InlineData("_x")]
    [InlineData("V1.0-rc_1")]
    [InlineData("a..b")]
    [InlineData("v1.")]
    [InlineData("sha256")]
    public void TryParse_Tag_IsNoDigest(string text)
    {
        Assert.True(Reference.TryParse(text, out var reference));
        Assert.Equal(text, reference.Tag?.Value);
        Assert.Null(reference.Digest);
    }

    [Theory]
    [InlineData(Samples.Sha256)]
    [InlineData(Samples.Sha384)]
    [InlineData(Samples.Sha512)]
    public void TryParse_Digest_IsNoTag(string text)
    {
        Assert.True(Reference.TryParse(text, out var reference));
        Assert.Equal(text, reference.Digest?.Value);
        Assert.Null(reference.Tag);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("-x")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("latest\n")]
    [InlineData("é")]
    [InlineData("٣")]
    [InlineData("a+b")]
    [InlineData("md5:abc")] // digest-shaped, but a tag to the registry
    [InlineData("foo:bar")]
    [InlineData("sha256:")]
    [InlineData("sha256:" + "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef")]
    [InlineData("SHA256:" + Samples.Hex64)]
    [InlineData("sha256:" + Samples.Hex64 + "0")]
    [InlineData("sha512:" + Samples.Hex64)]
    [InlineData("sha256::" + Samples.Hex64)]
    [InlineData(" " + Samples.Sha256)]
    public void TryParse_NeitherTagNorDigest_Refuses(string text) => Assert.False(Reference.TryParse(text, out _));

    [Fact]
    public void TryParse_TagAtAndBeyondTheLimit_AcceptsTheFirstOnly()
    {
        Assert.True(Reference.TryParse(new string('a', 128), out _));
        Assert.False(Reference.TryParse(new string('a', 129), out _));
    }
}
