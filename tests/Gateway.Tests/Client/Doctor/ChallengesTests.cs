using Gateway.Client.Doctor.Client;

namespace Gateway.Tests.Client.Doctor;

/// <summary>Challenges by the grammar of RFC 9110, section 11.6.1.</summary>
public sealed class ChallengesTests
{
    [Fact]
    public void Parse_TokenChallenge_HasItsParameters()
    {
        var one = Assert.Single(
            Challenges.Parse("""Bearer realm="https://a/token",service="x,y" , SCOPE="repository:a:pull,push" """));
        Assert.Null(one.Fault);
        Assert.True(one.IsBearer);
        Assert.Equal(
            ("https://a/token", "x,y", "repository:a:pull,push"), (one.Realm, one.Service, one.Parameters["scope"]));
    }

    [Theory]
    [InlineData("bearer realm=a.b", "a.b")] // tokens need no quotes, schemes no capitals
    [InlineData("Bearer realm = \"a\"", "a")]
    [InlineData("Bearer realm=\"a\\\"b\\\\c\"", "a\"b\\c")]
    [InlineData("Bearer realm=\"\"", "")]
    [InlineData(" , Bearer\trealm=\"a\" ,", "a")]
    public void Parse_EveryFormOfValue_IsRead(string text, string realm)
    {
        var one = Assert.Single(Challenges.Parse(text));
        Assert.Null(one.Fault);
        Assert.Equal(realm, one.Realm);
    }

    [Fact]
    public void Parse_SeveralInOneValue_AreApart()
    {
        var all = Challenges.Parse("""Basic realm="x", Bearer realm="https://a/token",service="s", Negotiate""");
        Assert.Equal(["Basic", "Bearer", "Negotiate"], all.Select(static one => one.Scheme));
        Assert.All(all, static one => Assert.Null(one.Fault));
        Assert.Equal("s", all[1].Service);
        Assert.Empty(all[2].Parameters);
    }

    [Theory]
    [InlineData("Bearer realm=\"https://a")]
    [InlineData("Bearer realm=\"a\\")]
    [InlineData("Bearer realm=https://a/token")]
    [InlineData("Bearer realm=")]
    [InlineData("Bearer realm=\"a\",realm=\"b\"")]
    [InlineData("\"Bearer\" realm=\"a\"")]
    [InlineData("Bearer realm=\"a\";service=\"b\"")]
    [InlineData("Bearer =x")]
    public void Parse_BrokenForm_HasAFault(string text) => Assert.NotNull(Challenges.Parse(text)[^1].Fault);

    [Theory]
    [InlineData("")]
    [InlineData(" ,, ")]
    public void Parse_Nothing_IsNoChallenge(string text) => Assert.Empty(Challenges.Parse(text));

    [Fact]
    public void Parse_AnyCharacters_EndsAndNeverThrows()
    {
        var random = new Random(7);
        const string alphabet = "Bearer=\",\\ \t;\u0000\u001b\u00e9/:";
        for (var i = 0; i < 20_000; i++)
        {
            Challenges.Parse(
                string.Concat(
                    Enumerable.Range(0, random.Next(40)).Select(_ => alphabet[random.Next(alphabet.Length)])));
        }
    }
}
