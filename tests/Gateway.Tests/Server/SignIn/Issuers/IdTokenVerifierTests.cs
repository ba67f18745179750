using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Core.Tokens;
using Gateway.Server.SignIn.Issuers;
using Gateway.Server.SignIn.Workloads;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.SignIn.Issuers;

/// <summary>
/// Tokens of outside issuers: what must be refused, each beside the token that must pass (the negative list of the
/// OpenID conformance suite, and RFC 8725).
/// </summary>
public sealed class IdTokenVerifierTests : IAsyncLifetime
{
    private const string Audience = "https://registry.test";

    private readonly FakeTimeProvider _clock = new();
    private TestIssuer _issuer = null!;
    private IssuerMetadata _metadata = null!;

    private DateTimeOffset Now => _clock.GetUtcNow();

    public async Task InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _metadata = MetadataOf(_issuer.Url);
    }

    public async Task DisposeAsync()
    {
        _metadata.Dispose();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task Good_IsRead()
    {
        var token = (await Accept(_issuer.Sign(Claims()))).Token;
        Assert.Equal((_issuer.Url, "job-1"), (token.Issuer, token.Subject));
        Assert.Equal(Now.AddHours(1), token.ExpiresAt);
        await Accept(_issuer.Sign(Claims(), new { alg = "RS256", kid = _issuer.KeyId })); // typ is optional
        await Accept(_issuer.Sign(Claims(), new { alg = "RS256" })); // one key only, so no kid is needed
        var several = Claims();
        several["aud"] = new JsonArray("https://other.test", Audience);
        await Accept(_issuer.Sign(several));
    }

    [Theory]
    [InlineData("iss", "https://evil.test", "another issuer issued it")]
    [InlineData("iss", null, "another issuer issued it")]
    [InlineData(
        "aud", "https://other.test",
        "it was issued for another audience: have it issued for \"https://registry.test\"")]
    [InlineData(
        "aud", "https://registry.test/",
        "it was issued for another audience: have it issued for \"https://registry.test\"")]
    [InlineData("aud", null, "it was issued for another audience: have it issued for \"https://registry.test\"")]
    [InlineData("sub", "", "it has no sub")]
    [InlineData("sub", null, "it has no sub")]
    [InlineData("exp", null, "it has no exp or no iat")]
    [InlineData("iat", null, "it has no exp or no iat")]
    [InlineData("exp", "soon", "it has no exp or no iat")]
    [InlineData("nbf", "soon", "it has no exp or no iat")]
    public async Task Claims_Wrong_AreRefusedWithTheCause(string claim, string? value, string message)
    {
        var claims = Claims();
        if (value is null)
        {
            claims.Remove(claim);
        }
        else
        {
            claims[claim] = value;
        }

        Assert.Equal(message, (await Refuse(_issuer.Sign(claims))).Message);
        Assert.Equal(0, _issuer.KeyRequests); // nothing is fetched for what cannot be good anyway
    }

    [Fact]
    public async Task Time_IsJudgedWithAMinuteOfLeeway()
    {
        await Accept(_issuer.Sign(At("exp", -59)));
        Assert.Equal(
            "it expired 61 s ago by this gateway's clock", (await Refuse(_issuer.Sign(At("exp", -61)))).Message);
        await Accept(_issuer.Sign(At("iat", 59)));
        Assert.Contains("clock", (await Refuse(_issuer.Sign(At("iat", 3600)))).Message, StringComparison.Ordinal);
        await Accept(_issuer.Sign(At("nbf", 59)));
        Assert.Contains("clock", (await Refuse(_issuer.Sign(At("nbf", 61)))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_ThatChoosesItsOwnWay_IsRefused()
    {
        var claims = Claims();
        var good = _issuer.Sign(claims);
        var parts = good.Split('.');
        await Accept(good);

        await Refuse($"{TestIssuer.Encode("""{"alg":"none"}""")}.{parts[1]}.");
        await Refuse($"{TestIssuer.Encode("""{"alg":"none"}""")}.{parts[1]}.{parts[2]}");
        await Refuse(_issuer.Sign(claims, new { alg = "RS512", kid = _issuer.KeyId })); // the key says RS256
        await Refuse(_issuer.Sign(claims, new { alg = "PS256", kid = _issuer.KeyId }));
        await Refuse(_issuer.Sign(claims, new { alg = "RS256", kid = _issuer.KeyId, crit = new[] { "exp" } }));
        await Refuse(_issuer.Sign(claims, new { alg = "RS256", kid = _issuer.KeyId, b64 = false }));
        await Refuse(_issuer.Sign(claims, new { alg = "RS256", kid = 1 }));
        await Refuse(_issuer.Sign(claims, new { alg = "RS256", kid = _issuer.KeyId, typ = "logout+jwt" }));
        await Refuse(_issuer.Sign(claims, new { alg = "RS256", kid = _issuer.KeyId, typ = "at+jwt" }));
        await Refuse(_issuer.Sign(claims, new { alg = "RS256", kid = "../../key-1" }));
        await Refuse(good + "." + parts[2] + "." + parts[2]); // five parts: encrypted
        await Refuse(good[..^4]);
        await Refuse("");
        await Refuse(new string('a', JwtParts.MaxLength + 1));
    }

    [Fact]
    public async Task Key_BroughtAlong_IsNotLookedAt()
    {
        using var evil = RSA.Create(2048);
        var n = System.Buffers.Text.Base64Url.EncodeToString(evil.ExportParameters(false).Modulus);
        foreach (var header in new object[]
        {
            new { alg = "RS256", kid = _issuer.KeyId, jwk = new { kty = "RSA", n, e = "AQAB" } },
            new { alg = "RS256", kid = _issuer.KeyId, jku = "https://evil.test/keys" },
            new { alg = "RS256", kid = _issuer.KeyId, x5u = "https://evil.test/chain" },
        })
        {
            var text = TestIssuer.Encode(System.Text.Json.JsonSerializer.Serialize(header)) + "."
                + TestIssuer.Encode(Claims().ToJsonString());
            var signature = evil.SignData(
                Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            Assert.Equal("its signature is wrong", (await Refuse(
                text + "." + System.Buffers.Text.Base64Url.EncodeToString(signature))).Message);
        }
    }

    [Fact]
    public async Task SymmetricAlgorithm_WithThePublicKeyAsSecret_IsRefused()
    {
        var text = TestIssuer.Encode("""{"alg":"HS256","kid":"key-1"}""") + "."
            + TestIssuer.Encode(Claims().ToJsonString());
        var secret = Encoding.UTF8.GetBytes(_issuer.Key.ExportSubjectPublicKeyInfoPem());
        await Refuse(
            text + "."
                + System.Buffers.Text.Base64Url.EncodeToString(
                    HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(text))));
    }

    [Fact]
    public async Task Members_Repeated_AreRefused()
    {
        var good = Claims().ToJsonString();
        await Refuse(_issuer.Sign("""{"sub":"admin",""" + good[1..]));
        var parts = _issuer.Sign(good).Split('.');
        await Refuse(TestIssuer.Encode("""{"alg":"none","alg":"RS256","kid":"key-1"}""") + $".{parts[1]}.{parts[2]}");
        await Accept(_issuer.Sign(good));
    }

    [Theory]
    [InlineData("""{"kty":"oct","kid":"key-1","k":"AAAA"}""")]
    [InlineData("""{"kty":"RSA","kid":"key-1","use":"enc","n":"AQAB","e":"AQAB"}""")]
    [InlineData("""{"kty":"RSA","kid":"key-1","n":"AQAB","e":"AQAB"}""")] // 24 bits
    [InlineData("""{"kty":"EC","kid":"key-1","crv":"secp256k1","x":"AQAB","y":"AQAB"}""")]
    public void Key_ThatMustNotVerify_IsPassedOver(string key) =>
        Assert.Empty(IssuerMetadata.ReadKeys($$"""{"keys":[{{key}}]}""", "test"));

    [Theory]
    [InlineData(null)]
    [InlineData("unknown")] // no key has its name, and these have none at all
    public async Task Keys_WithoutNames_EachOfTheTokensKindIsTriedAndNoOther(string? keyId)
    {
        using var second = RSA.Create(2048);
        using var stranger = RSA.Create(2048);
        _issuer.OnKeys = context => context.Response.WriteAsync(
            $$"""{"keys":[{{KeyOf(second)}},{{KeyOf(_issuer.Key)}}]}""");
        object header = keyId is null ? new { alg = "RS256" } : new { alg = "RS256", kid = keyId };

        await Accept(_issuer.Sign(Claims(), header));
        await Accept(Resign(_issuer.Sign(Claims(), header), second));
        await Refuse(Resign(_issuer.Sign(Claims(), header), stranger));
        await Refuse(_issuer.Sign(Claims(), new { alg = "ES256" }));
    }

    [Fact]
    public async Task Keys_OneWithoutAName_IsEnough()
    {
        using var stranger = RSA.Create(2048);
        _issuer.OnKeys = context => context.Response.WriteAsync($$"""{"keys":[{{KeyOf(_issuer.Key)}}]}""");

        await Accept(_issuer.Sign(Claims(), new { alg = "RS256" }));
        await Accept(_issuer.Sign(Claims(), new { alg = "RS256", kid = "unknown" }));
        await Refuse(Resign(_issuer.Sign(Claims(), new { alg = "RS256" }), stranger));
    }

    [Fact]
    public async Task Keys_WithNames_OnlyTheNamedOneIsTried()
    {
        using var second = RSA.Create(2048);
        _issuer.OnKeys = context => context.Response.WriteAsync(
            $$"""{"keys":[{{KeyOf(second, "key-2")}},{{KeyOf(_issuer.Key, "key-1")}}]}""");

        await Accept(_issuer.Sign(Claims(), new { alg = "RS256", kid = "key-1" }));
        await Refuse(_issuer.Sign(Claims(), new { alg = "RS256", kid = "key-2" })); // the other's name
        await Refuse(_issuer.Sign(Claims(), new { alg = "RS256", kid = "key-3" })); // nobody's
        await Accept(_issuer.Sign(Claims(), new { alg = "RS256" })); // each of them is the issuer's own
    }

    [Theory]
    [InlineData("\\ud800")] // half a character
    [InlineData("\\ud800\\ud800")]
    public async Task Text_ThatIsNone_IsRefused(string text)
    {
        await Refuse(_issuer.Sign(Claims().ToJsonString().Replace("job-1", text, StringComparison.Ordinal)));
        await Refuse(_issuer.Sign("{\"x\":[{\"" + text + "\":1}]," + Claims().ToJsonString()[1..]));
    }

    [Fact]
    public async Task Mutations_ByTheThousand_AreRefusedAndNeverThrow()
    {
        var token = _issuer.Sign(Claims());
        await Accept(token);
        var random = new Random(20261127); // the same ones each time
        var alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
        for (var i = 0; i < 20_000; i++)
        {
            var characters = token.ToCharArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                characters[random.Next(characters.Length)] = alphabet[random.Next(alphabet.Length)];
            }

            var mutated = new string(characters);
            if (mutated == token)
            {
                continue;
            }

            var result = await Verify(mutated);
            Assert.True(result is IdTokenResult.Bad, mutated);
        }
    }

    private static string KeyOf(RSA key, string? name = null)
    {
        var parameters = key.ExportParameters(false);
        return new JsonObject
        {
            ["kty"] = "RSA",
            ["n"] = Base64Url.EncodeToString(parameters.Modulus),
            ["e"] = Base64Url.EncodeToString(parameters.Exponent),
            [name is null ? "x" : "kid"] = name,
        }.ToJsonString();
    }

    // The same head and claims, signed by another key.
    private static string Resign(string token, RSA key)
    {
        var text = token[..token.LastIndexOf('.')];
        return text + "." + Base64Url.EncodeToString(
            key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    private JsonObject Claims() => _issuer.Claims(Audience, "job-1", Now);

    private JsonObject At(string claim, int seconds)
    {
        var claims = Claims();
        claims[claim] = Now.AddSeconds(seconds).ToUnixTimeSeconds();
        return claims;
    }

    private IssuerMetadata MetadataOf(string url) =>
        new("issuer:test", new WorkloadOptions { Issuer = url }, null, _clock, NullLogger<IssuerMetadata>.Instance);

    private ValueTask<IdTokenResult> Verify(string token) =>
        new IdTokenVerifier(_clock).VerifyAsync(token, _metadata, Audience, null, CancellationToken.None);

    private async Task<IdTokenResult.Good> Accept(string token) =>
        Assert.IsType<IdTokenResult.Good>(await Verify(token));

    private async Task<IdTokenResult.Bad> Refuse(string token) => Assert.IsType<IdTokenResult.Bad>(await Verify(token));
}
