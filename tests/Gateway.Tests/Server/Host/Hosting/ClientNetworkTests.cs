using System.Net;
using Gateway.Server.Host.Hosting;

namespace Gateway.Tests.Server.Host.Hosting;

public sealed class ClientNetworkTests
{
    [Theory]
    [InlineData("10.0.0.7", "10.0.0.7/32")]
    [InlineData("10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("::1", "::1/128")]
    [InlineData("FD00::/8", "fd00::/8")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")] // its meaning is for the caller to refuse
    public void TryParse_AddressOrNetwork_GivesTheNetwork(string text, string expected)
    {
        Assert.True(ClientNetwork.TryParse(text, out var network, out _, out _));
        Assert.Equal(IPNetwork.Parse(expected), network);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/8")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.0.0.1/8")] // which of the two was meant?
    [InlineData("10.1")]
    [InlineData("010.0.0.1")] // octal to some
    [InlineData("167772161")]
    [InlineData("fd00::/129")]
    [InlineData("[::1]")]
    [InlineData("fe80::1%1")]
    [InlineData("::ffff:10.0.0.7")]
    [InlineData("::ffff:0:0/96")]
    [InlineData("*")]
    [InlineData("proxy.internal")]
    public void TryParse_AnythingElse_IsRefusedWithAFix(string text)
    {
        Assert.False(ClientNetwork.TryParse(text, out _, out var what, out var fix));
        Assert.NotEmpty(what);
        Assert.EndsWith(".", fix, StringComparison.Ordinal);
    }
}
