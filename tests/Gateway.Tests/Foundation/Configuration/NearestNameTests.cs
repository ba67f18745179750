using Gateway.Foundation.Configuration;

namespace Gateway.Tests.Foundation.Configuration;

public sealed class NearestNameTests
{
    [Theory]
    [InlineData("htpaswd", "htpasswd")]
    [InlineData("PUBLICURL", "publicUrl")]
    [InlineData("pubilcUrl", "publicUrl")]
    [InlineData("upstream", "upstreams")]
    [InlineData("http", "https")]
    [InlineData("kye", "key")]
    [InlineData("kez", "key")]
    [InlineData("url", null)]
    [InlineData("ky", null)] // two letters say too little
    [InlineData("", null)]
    [InlineData("certificate", null)]
    public void Of_MistypedKey_FindsTheOneMeant(string word, string? expected)
    {
        Assert.Equal(expected, NearestName.Find(word, ["htpasswd", "publicUrl", "upstreams", "https", "key"]));
    }

    [Fact]
    public void Of_EndlessKey_CostsNothing()
    {
        Assert.Null(NearestName.Find(new string('k', 1_000_000), ["key"]));
    }

    [Theory]
    [InlineData("adrss", "address")] // a deny whose address became a claim would deny nobody
    [InlineData("clims", "claims")]
    [InlineData("mthd", "method")]
    [InlineData("tiem", "time")]
    [InlineData("team", null)]
    [InlineData("platform-admins-eu", "platform-admins-us")]
    [InlineData("platform-users-eu", null)] // far, however long it is
    public void Of_NameNearToAnother_TakesTwoEditsAtMost(string word, string? expected)
    {
        Assert.Equal(
            expected, NearestName.Find(word, ["address", "claims", "method", "time", "platform-admins-us"]));
    }

    [Fact]
    public void Hint_NoNameNear_ListsTheFirstTwentyInOrder()
    {
        Assert.Equal("Did you mean \"rules\"?", NearestName.Hint("rule", ["rules", "groups"]));
        Assert.Equal("Known: groups, rules.", NearestName.Hint("users", ["rules", "groups"]));
    }
}
