using Gateway.Foundation.Configuration;

namespace Gateway.Tests.Foundation.Configuration;

public sealed class HostNameTests
{
    [Theory]
    [InlineData("registry.example.com", "registry.example.com", null)]
    [InlineData("Registry.Example.COM:8443", "registry.example.com", 8443)]
    [InlineData("localhost", "localhost", null)]
    [InlineData("10.0.0.7:443", "10.0.0.7", 443)]
    [InlineData("[::1]", "[::1]", null)]
    [InlineData("[2001:DB8::1]:8443", "[2001:db8::1]", 8443)]
    [InlineData("docker_network-1", "docker_network-1", null)]
    public void TryParse_Host_IsLowerCaseWithItsPort(string text, string host, int? port)
    {
        Assert.True(HostName.TryParse(text, out var name));
        Assert.Equal(new HostName(host, port), name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("https://registry.example.com")]
    [InlineData("registry.example.com/")]
    [InlineData("registry.example.com:")]
    [InlineData("registry.example.com:0")]
    [InlineData("registry.example.com:65536")]
    [InlineData("user@registry.example.com")]
    [InlineData("*.example.com")]
    [InlineData("a..b")]
    [InlineData(".")]
    [InlineData("::1")]
    [InlineData("[::1")]
    [InlineData("[fe80::1%eth0]")]
    [InlineData("[10.0.0.7]")]
    [InlineData("régistry.example.com")]
    [InlineData("a b")]
    [InlineData("a\n")]
    public void TryParse_AnythingElse_IsRefused(string text) => Assert.False(HostName.TryParse(text, out _));

    [Fact]
    public void TryParse_LabelOrNameTooLong_IsRefused()
    {
        var label = new string('a', 63);
        Assert.True(HostName.TryParse(label, out _));
        Assert.False(HostName.TryParse(label + "a", out _));
        Assert.False(HostName.TryParse(string.Join('.', Enumerable.Repeat(label, 4)), out _));
    }
}
