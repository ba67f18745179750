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
        Assert.Equal("user:" + new string('a', 128), LimitKey.AccountOf(new string('A', 128)));
        var accounts = new[]
        {
            "\ud800",
            "\ud801",
            "名前",
            new string('a', 129),
            new string('a', 5000),
        }.Select(LimitKey.AccountOf).ToList();
        Assert.Equal(5, accounts.Distinct().Count());
        // none fills memory
        Assert.All(accounts, static account => Assert.InRange(LimitKey.Part(account).Length, 1, 48));
    }

    [Fact]
    public void Of_NamesThatLookLikeKeys_StayApart()
    {
        var keys = new[]
        {
            LimitKey.Build(LimitKey.Prefix, "r", "user:a|b", null),
            LimitKey.Build(LimitKey.Prefix, "r", "user:a", "b"),
            LimitKey.Build(LimitKey.Prefix, "r", "user:a", null, "b"),
            LimitKey.Build(LimitKey.Prefix, "r", "user:a*[b]?", null),
        };

        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.All(
            keys,
            static key => Assert.DoesNotContain(
                key, static c => c is '*' or '?' or '[' or ']' or '\\' or '%' && c != '%'));
        Assert.Equal("limit:r|user%3Aa%7Cb||", keys[0]);
    }
}
