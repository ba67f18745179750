using Gateway.Server.Requests.Cors;

namespace Gateway.Tests.Server.Requests.Cors;

public sealed class AllowedOriginsTests
{
    [Theory]
    [InlineData("https://ui.test", true)]
    [InlineData("https://ui.test:443", false)]
    [InlineData("https://ui.test:8443", false)]
    [InlineData("https://ui.test/", false)]
    [InlineData("http://ui.test", false)]
    [InlineData("HTTPS://UI.TEST", false)] // browsers send one spelling only
    [InlineData("https://ui.test.evil.org", false)]
    [InlineData("https://eviltest", false)]
    [InlineData("https://a.ui.test", false)]
    [InlineData("null", false)]
    [InlineData("*", false)]
    [InlineData("", false)]
    public void Contains_ExactOrigin_IsThatTextOnly(string origin, bool expected) =>
        Assert.Equal(expected, new AllowedOrigins(["https://ui.test"]).Contains(origin));

    [Theory]
    [InlineData("https://ui.example.com", true)]
    [InlineData("https://a.b-c.example.com", true)]
    [InlineData("https://xn--i-1ga.example.com", true)]
    [InlineData("https://example.com", false)] // the domain itself is not below it
    [InlineData("https://.example.com", false)]
    [InlineData("https://a..example.com", false)]
    [InlineData("https://*.example.com", false)]
    [InlineData("https://evilexample.com", false)]
    [InlineData("https://example.com.evil.org", false)]
    [InlineData("https://ui.example.com.evil.org", false)]
    [InlineData("https://ui.example.com:8443", false)]
    [InlineData("http://ui.example.com", false)]
    [InlineData("https://UI.example.com", false)]
    [InlineData("https://evil.org/.example.com", false)]
    [InlineData("https://evil.org#.example.com", false)]
    [InlineData("https://evil.org?.example.com", false)]
    [InlineData("https://evil.org\\.example.com", false)]
    [InlineData("https://evil.org:1@ui.example.com", false)]
    [InlineData("https://evil.org, https://ui.example.com", false)]
    [InlineData("https://ui.example.com ", false)]
    [InlineData("https://http://ui.example.com", false)]
    public void Contains_Domain_IsNamesBelowItOnly(string origin, bool expected) =>
        Assert.Equal(expected, new AllowedOrigins(["https://*.example.com"]).Contains(origin));

    [Theory]
    [InlineData("http://ui.example.com:8080", true)]
    [InlineData("http://ui.example.com:80801", false)]
    [InlineData("http://ui.example.com", false)]
    [InlineData("https://ui.example.com:8080", false)]
    public void Contains_DomainWithPort_IsThatPortOnly(string origin, bool expected) =>
        Assert.Equal(expected, new AllowedOrigins(["http://*.example.com:8080"]).Contains(origin));

    [Fact]
    public void Contains_OriginLongerThanAnyName_IsNot() =>
        Assert.False(
            new AllowedOrigins(["https://*.example.com"]).Contains($"https://{new string('a', 400)}.example.com"));

    [Fact]
    public void Contains_SeveralItems_IsAnyOfThem()
    {
        var origins = new AllowedOrigins(["https://ui.test", "https://*.example.com", "http://localhost:8080"]);

        Assert.True(origins.Contains("http://localhost:8080"));
        Assert.True(origins.Contains("https://a.example.com"));
        Assert.False(origins.Contains("http://localhost:8081"));
        Assert.False(origins.IncludesEvery);
    }

    [Fact]
    public void Contains_Every_IsAll()
    {
        var origins = new AllowedOrigins(["*"]);

        Assert.True(origins.IncludesEvery);
        Assert.True(origins.Contains("https://whoever.test"));
    }
}
