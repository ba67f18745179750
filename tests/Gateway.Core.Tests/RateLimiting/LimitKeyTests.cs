using System.Net;
using Gateway.Core.RateLimiting;

namespace Gateway.Core.Tests.RateLimiting;

public sealed class LimitKeyTests
{
    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64")]
    [InlineData("::1", "::/64")]
    public void AddressOf_AnyAddress_IsItsNetwork(string address, string expected) =>
        Assert.Equal(expected, LimitKey.AddressOf(IPAddress.Parse(address)));

    [Theory]
    [InlineData("Alice")]
    [InlineData(" alice ")]
    [InlineData("ALICE")]
    public void AccountOf_OneNameInSeveralSpellings_IsOneAccount(string name) =>
        Assert.Equal("user:alice", LimitKey.AccountOf(name));

    [Fact]
    public void AccountOf_HalfOfASurrogatePairOrEndlessName_IsStillAnAccount()
    {
        Assert.Equal("user:\ud800", LimitKey.AccountOf("\ud800"));
        Assert.Equal("user:" + new string('a', 256), LimitKey.AccountOf(new string('a', 5000)));
    }

    [Fact]
    public void Of_NamesThatLookLikeKeys_StayApart()
    {
        var keys = new[]
        {
            LimitKey.Of(LimitKey.Prefix, "r", "user:a|b", null),
            LimitKey.Of(LimitKey.Prefix, "r", "user:a", "b"),
            LimitKey.Of(LimitKey.Prefix, "r", "user:a", null, "b"),
            LimitKey.Of(LimitKey.Prefix, "r", "user:a*[b]?", null),
        };

        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.All(keys, static key => Assert.DoesNotContain(key, static c => c is '*' or '?' or '[' or ']' or '\\' or '%' && c != '%'));
        Assert.Equal("limit:r|user%3Aa%7Cb||", keys[0]);
    }
}
