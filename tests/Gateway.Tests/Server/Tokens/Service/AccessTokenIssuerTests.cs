using System.Collections.Frozen;
using System.Text.RegularExpressions;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Store.Keys;
using Gateway.Server.Tokens.Service;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Tokens.Service;

public sealed class AccessTokenIssuerTests
{
    private readonly TokenStage _stage = new();

    [Theory]
    [InlineData(SigningAlgorithm.ES256)]
    [InlineData(SigningAlgorithm.RS256)]
    public void Issue_AnyAlgorithm_HeaderIsTypAlgKid(SigningAlgorithm algorithm)
    {
        var stage = new TokenStage(algorithm);

        var header = Forge.Decode(Forge.Parts(stage.Issue()).Header);

        Assert.Equal($$"""{"typ":"JWT","alg":"{{algorithm}}","kid":"{{stage.Keys.Key.Id}}"}""", header);
    }

    [Fact]
    public void Issue_EverythingThereIs_WritesEachClaimOnce()
    {
        Assert.True(CredentialLimit.TryParse(["team/**:push,pull"], out var limit, out _));
        var holder = new Principal
        {
            Subject = new Subject
            {
                Kind = SubjectKind.Workload,
                Name = "acme/app",
                Method = "issuer:github",
                Groups = ["ci", "Entwickler/Köln"],
                Claims = new Dictionary<string, string>
                {
                    ["ref"] = "refs/heads/main",
                    ["actor"] = "\"x\"",
                }.ToFrozenDictionary(),
            },
            Limit = limit,
            CredentialId = "c-1",
            Evidence = "e-1",
            ExpiresAt = _stage.Clock.GetUtcNow() + TimeSpan.FromDays(1),
        };
        var scope = AccessScope.Create(
            [
                new RepositoryScope(RepositoryName.Parse("team/app"), ActionNames.All & ~RepositoryActions.Delete),
                new RepositoryScope(RepositoryName.Parse("team/none"), RepositoryActions.Overwrite),
                new RepositoryScope(RepositoryName.Parse("library/alpine"), RepositoryActions.Delete),
            ],
            catalog: true);

        var payload = Forge.Decode(Forge.Parts(_stage.Issue(holder, scope)).Payload);

        const string expected = """
            {"iss":"https://registry.test","sub":"acme/app","aud":"registry.test","exp":1767225900,"nbf":1767225540,
            "iat":1767225600,"jti":"RANDOM","access":[
            {"type":"repository","name":"team/app","actions":["pull","push"]},
            {"type":"repository","name":"library/alpine","actions":["delete"]},
            {"type":"registry","name":"catalog","actions":["*"]}],
            "knd":"w","mth":"issuer:github","grp":["ci","Entwickler/Köln"],
            "clm":{"actor":"\"x\"","ref":"refs/heads/main"},"crd":"c-1","evd":"e-1","lim":["team/**:pull,push"],
            "end":1767312000}
            """;
        Assert.Equal(
            expected.ReplaceLineEndings(""),
            Regex.Replace(payload, "(?<=\"jti\":\")[A-Za-z0-9_-]{22}(?=\")", "RANDOM"));
    }

    [Fact]
    public void Issue_Anonymous_HasAnEmptySubjectAndNoAccess()
    {
        var payload = Forge.Decode(Forge.Parts(_stage.Issue(Principal.Anonymous, AccessScope.Empty)).Payload);

        Assert.Contains("\"sub\":\"\",", payload, StringComparison.Ordinal);
        Assert.EndsWith("\"access\":[],\"knd\":\"a\",\"mth\":\"none\"}", payload, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-5, 300)]
    [InlineData(0.9, 300)]
    public void Issue_BetweenTwoSeconds_EndsInWholeSecondsAndNeverLater(double offset, int lifetime)
    {
        _stage.Clock.Advance(TimeSpan.FromSeconds(100 + offset));
        var now = _stage.Clock.GetUtcNow();

        var token = _stage.Issuer.Issue(TokenStage.Alice, TokenStage.Pull, TokenStage.Host);

        Assert.Equal(TimeSpan.FromSeconds(lifetime), token.Lifetime);
        var expiresAt = _stage.Accept(token.Text).ExpiresAt!.Value;
        Assert.InRange(expiresAt, now + TimeSpan.FromSeconds(lifetime - 1), now + TimeSpan.FromSeconds(lifetime));
    }

    [Fact]
    public void Issue_CredentialThatEndsSooner_EndsWithIt()
    {
        var end = _stage.Clock.GetUtcNow() + TimeSpan.FromSeconds(42.7);

        var token = _stage.Issuer.Issue(TokenStage.Alice with { ExpiresAt = end }, TokenStage.Pull, TokenStage.Host);

        Assert.Equal(TimeSpan.FromSeconds(42), token.Lifetime);
        Assert.Equal(end - TimeSpan.FromSeconds(0.7), _stage.Accept(token.Text).ExpiresAt);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(-3600)]
    public void Issue_CredentialThatHasEnded_IsRefused(double seconds)
    {
        var ended = TokenStage.Alice with { ExpiresAt = _stage.Clock.GetUtcNow() + TimeSpan.FromSeconds(seconds) };

        var exception = Assert.Throws<AccessTokenException>(
            () => _stage.Issuer.Issue(ended, TokenStage.Pull, TokenStage.Host));

        Assert.Equal("the credential has expired", exception.Message);
    }

    [Fact]
    public void Issue_MoreGroupsThanAHeaderHolds_IsRefusedAndLoggedNeverShortened()
    {
        var member = Member(groups: 900);

        var exception = Assert.Throws<AccessTokenException>(
            () => _stage.Issuer.Issue(member, TokenStage.Pull, TokenStage.Host));

        Assert.StartsWith("the access token would have ", exception.Message, StringComparison.Ordinal);
        Assert.Contains("900 groups", exception.Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "Error 1101 No access token was issued to user:alice: it would have ",
            Assert.Single(_stage.Log.Lines),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Issue_ManyGroupsThatFit_KeepsThemAll()
    {
        var member = Member(groups: 600);

        var token = _stage.Issue(member);

        Assert.InRange(token.Length, 8 * 1024, AccessTokenIssuer.MaxLength);
        Assert.Equal(member.Subject.Groups, _stage.Accept(token).Subject.Groups);
    }

    [Fact]
    public void Issue_LargestScope_Fits()
    {
        var names = Enumerable.Range(0, AccessScope.MaxRepositories)
            .Select(static i => RepositoryName.Parse($"{new string('a', 61)}{i:000}"));
        var scope = AccessScope.Create(
            names.Select(static name => new RepositoryScope(name, ActionNames.All)), catalog: true);
        Assert.Equal(AccessScope.MaxRepositories, scope.Repositories.Length);

        var token = _stage.Issue(scope: scope);

        Assert.Equal(scope.ToString(), _stage.Accept(token).Scope!.ToString());
    }

    [Fact]
    public void Issue_Typical_StaysSmall() => Assert.InRange(_stage.Issue().Length, 500, 800);

    [Fact]
    public void Issue_Twice_HasDifferentIds() => Assert.NotEqual(_stage.Issue(), _stage.Issue());

    [Fact]
    public void Issue_NewKeyNotYetActive_SignsWithTheOldOne()
    {
        var (old, now) = (_stage.Keys.Key, _stage.Clock.GetUtcNow());
        var next = TestSigningKeys.Create(SigningAlgorithm.ES256, now + TimeSpan.FromMinutes(5));
        _stage.Keys.Current = new SigningKeyRing([old, next]);
        var before = _stage.Issue();
        _stage.Clock.Advance(TimeSpan.FromMinutes(5));
        var after = _stage.Issue();

        Assert.Contains(old.Id, Forge.Decode(Forge.Parts(before).Header), StringComparison.Ordinal);
        Assert.Contains(next.Id, Forge.Decode(Forge.Parts(after).Header), StringComparison.Ordinal);
        _stage.Accept(before);
        _stage.Accept(after);
    }

    private static Principal Member(int groups) => TokenStage.Alice with
    {
        Subject = TokenStage.Alice.Subject with
        {
            Groups = [.. Enumerable.Range(0, groups).Select(static i => $"group-{i:0000}")],
        },
    };
}
