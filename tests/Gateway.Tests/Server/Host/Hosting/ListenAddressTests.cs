using System.Net;
using Gateway.Server.Host.Hosting;

namespace Gateway.Tests.Server.Host.Hosting;

public sealed class ListenAddressTests
{
    [Theory]
    [InlineData("*:8443", null, 8443)]
    [InlineData("127.0.0.1:8443", "127.0.0.1", 8443)]
    [InlineData("0.0.0.0:1", "0.0.0.0", 1)]
    [InlineData("[::1]:65535", "::1", 65535)]
    [InlineData("[::]:8443", "::", 8443)]
    [InlineData("*:0", null, 0)]
    public void TryParse_Address_GivesItBack(string text, string? address, int port)
    {
        Assert.True(ListenAddress.TryParse(text, out var listen));
        Assert.Equal(address is null ? null : IPAddress.Parse(address), listen.Address);
        Assert.Equal(port, listen.Port);
        Assert.Equal(text, listen.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(":")]
    [InlineData(":8443")]
    [InlineData("8443")]
    [InlineData("*")]
    [InlineData("*:")]
    [InlineData("*:-1")]
    [InlineData("*:+1")]
    [InlineData("*: 1")]
    [InlineData("*:65536")]
    [InlineData("*:008443")]
    [InlineData("*:99999999999")]
    [InlineData("*:8443/")]
    [InlineData("+:8443")]
    [InlineData("localhost:8443")]
    [InlineData("127.1:8443")]
    [InlineData("0x7f000001:8443")]
    [InlineData("127.0.0.01:8443")]
    [InlineData("::1:8443")]
    [InlineData("[::1]")]
    [InlineData("[[::1]]:8443")]
    [InlineData("[127.0.0.1]:8443")]
    [InlineData("http://*:8443")]
    public void TryParse_AnythingElse_IsRefused(string text)
    {
        Assert.False(ListenAddress.TryParse(text, out var listen));
        Assert.Null(listen);
    }

    [Theory]
    [InlineData("*:1", "127.0.0.1:1", true)]
    [InlineData("[::]:1", "127.0.0.1:1", true)] // a socket on [::] takes IPv4 as well
    [InlineData("0.0.0.0:1", "127.0.0.1:1", true)]
    [InlineData("127.0.0.1:1", "127.0.0.1:1", true)]
    [InlineData("0.0.0.0:1", "[::1]:1", false)]
    [InlineData("127.0.0.1:1", "127.0.0.2:1", false)]
    [InlineData("*:1", "*:2", false)]
    [InlineData("*:0", "*:0", false)] // any free port is never the same
    public void CollidesWith_OtherListener_IsWhatBindingWouldSay(string left, string right, bool expected)
    {
        Assert.True(ListenAddress.TryParse(left, out var first));
        Assert.True(ListenAddress.TryParse(right, out var second));

        Assert.Equal(expected, first.CollidesWith(second));
        Assert.Equal(expected, second.CollidesWith(first));
    }
}
