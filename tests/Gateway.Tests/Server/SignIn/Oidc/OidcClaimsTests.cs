using System.Text.Json;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Oidc;

namespace Gateway.Tests.Server.SignIn.Oidc;

/// <summary>Whom claims mean: names, groups, what is required.</summary>
public sealed class OidcClaimsTests
{
    private readonly OidcOptions _options = new();

    [Fact]
    public void Groups_AreFilteredMappedAndPrefixed()
    {
        _options.Groups = new OidcGroupOptions
        {
            Claim = "realm_access.roles",
            Only = ["reg-*", "0a1b"],
            Map = new Dictionary<string, string> { ["0a1b"] = "platform" },
            Prefix = "kc-",
        };
        var person = Read(
#pragma warning disable RCS0056 // one line of text
            """{"preferred_username":"alice","realm_access":{"roles":["reg-dev","other","0a1b","reg-dev","reg-\u0007"]}}""");
#pragma warning restore RCS0056
        Assert.Equal(["kc-reg-dev", "platform"], person.Groups);
    }

    [Theory]
    // half could be the half that a deny is about
    [InlineData("""{"preferred_username":"alice","groups":["a",{"b":1}]}""")]
    // left out, as there are too many
    [InlineData("""{"preferred_username":"alice","_claim_names":{"groups":"src1"}}""")]
    [InlineData("""{"preferred_username":"a b"}""")]
    [InlineData("""{"preferred_username":"corp/alice"}""")]
    [InlineData("""{"preferred_username":"al:ice"}""")]
    [InlineData("""{"preferred_username":""}""")]
    [InlineData("""{"preferred_username":"\u0430lice"}""")]
    [InlineData("""{"preferred_username":["alice"]}""")]
    [InlineData("""{"name":"alice"}""")]
    public void Unfit_AreRefused(string claims) => Assert.Throws<OidcException>(() => Read(claims));

    [Theory]
    [InlineData("""{"email":"alice@example.com","email_verified":true}""", true)]
    [InlineData("""{"email":"alice@example.com","email_verified":"true"}""", true)]
    [InlineData("""{"email":"alice@example.com","email_verified":false}""", false)]
    [InlineData("""{"email":"alice@example.com"}""", false)]
    public void Email_AsAName_MustBeVerified(string claims, bool isGood)
    {
        _options.NameClaim = "email";
        if (isGood)
        {
            Assert.Equal("alice@example.com", Read(claims).Name);
        }
        else
        {
            Assert.Throws<OidcException>(() => Read(claims));
        }
    }

    [Fact]
    public void Email_AsACondition_MustBeVerified()
    {
        _options.Require = new Dictionary<string, string> { ["email"] = "*@example.com" };
        Assert.Equal(
            "alice", Read("""{"preferred_username":"alice","email":"a@example.com","email_verified":true}""").Name);
        Assert.Throws<OidcException>(() => Read("""{"preferred_username":"alice","email":"a@example.com"}"""));

        _options.Require = [];
        _options.Claims = new Dictionary<string, string> { ["mail"] = "email" };
        Assert.Equal(
            "a@b.c", Read("""{"preferred_username":"alice","email":"a@b.c","email_verified":true}""").Claims["mail"]);
        Assert.Empty(Read("""{"preferred_username":"alice","email":"a@b.c","email_verified":false}""").Claims);
    }

    [Fact]
    public void Required_MustBeThere()
    {
        _options.Require = new Dictionary<string, string> { ["hd"] = "example.com", ["org.tier"] = "g*" };
        Assert.Equal(
            "alice",
            Read("""{"preferred_username":"alice","hd":"example.com","org":{"tier":["silver","gold"]}}""").Name);
        Assert.Throws<OidcException>(
            () => Read("""{"preferred_username":"alice","hd":"example.com.evil","org":{"tier":"gold"}}"""));
        Assert.Throws<OidcException>(() => Read("""{"preferred_username":"alice","org":{"tier":"gold"}}"""));
        Assert.Throws<OidcException>(
            () => Read("""{"preferred_username":"alice","hd":"example.com","org":{"tier":"silver"}}"""));
    }

    [Fact]
    public void Names_Qualified_StandBehindTheProvider()
    {
        _options.Names = NameForm.Qualified;
        Assert.Equal("corp/alice", Read("""{"preferred_username":"alice"}""").Name);
    }

    private OidcPerson Read(string claims) =>
        new OidcClaims("corp", _options).Read("sub", JsonDocument.Parse(claims).RootElement);
}
