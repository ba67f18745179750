using Gateway.Server.SignIn.ClientCertificates;

namespace Gateway.Tests.Server.SignIn.ClientCertificates;

/// <summary>SPIFFE-ID, section 2.</summary>
public sealed class SpiffeIdTests
{
    [Theory]
    [InlineData("spiffe://example.org/ns/prod/sa/builder", "example.org")]
    [InlineData("spiffe://a_b-c.1/X-y_z.0", "a_b-c.1")]
    [InlineData("spiffe://1.2.3.4/service", "1.2.3.4")]
    [InlineData("spiffe://example.org/a/...", "example.org")]
    public void TryParse_WorkloadId_GivesItsTrustDomain(string text, string trustDomain)
    {
        Assert.True(SpiffeId.TryParse(text, out var found));
        Assert.Equal(trustDomain, found);
    }

    [Theory]
    [InlineData("")]
    [InlineData("spiffe://")]
    [InlineData("spiffe:///path")]
    [InlineData("spiffe://example.org")]
    [InlineData("spiffe://example.org/")]
    [InlineData("spiffe://example.org/a/")]
    [InlineData("spiffe://example.org//a")]
    [InlineData("spiffe://example.org/./a")]
    [InlineData("spiffe://example.org/a/..")]
    [InlineData("spiffe://example.org/a?b")]
    [InlineData("spiffe://example.org/a#b")]
    [InlineData("spiffe://example.org/a%20b")]
    [InlineData("spiffe://example.org/a b")]
    [InlineData("spiffe://example.org/\u00e4")]
    [InlineData("spiffe://Example.org/a")]
    [InlineData("spiffe://example.org:8443/a")]
    [InlineData("spiffe://user@example.org/a")]
    [InlineData("SPIFFE://example.org/a")]
    [InlineData("https://example.org/a")]
    public void TryParse_AnythingElse_IsNone(string text) => Assert.False(SpiffeId.TryParse(text, out _));

    [Fact]
    public void TryParse_TooLong_IsNone()
    {
        var longest = "spiffe://example.org/" + new string('a', SpiffeId.MaxLength - 21);

        Assert.True(SpiffeId.TryParse(longest, out _));
        Assert.False(SpiffeId.TryParse(longest + "a", out _));
    }
}
