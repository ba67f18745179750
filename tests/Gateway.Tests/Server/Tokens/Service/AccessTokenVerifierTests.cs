using Gateway.Core.Authorization;
using Gateway.Foundation.Caching;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Tokens.Service;

public sealed class AccessTokenVerifierTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly TokenStage _stage = new();

    [Theory]
    [InlineData(SigningAlgorithm.ES256)]
    [InlineData(SigningAlgorithm.RS256)]
    public void Verify_OwnToken_GivesBackWhatWasIssued(SigningAlgorithm algorithm)
    {
        var stage = new TokenStage(algorithm);
        Assert.True(CredentialLimit.TryParse(["team/**:pull"], out var limit, out _));
        var holder = TokenStage.Alice with
        {
            Subject = TokenStage.Alice.Subject with { Groups = ["team-a"] },
            Limit = limit,
            CredentialId = "c-1",
            ExpiresAt = stage.Clock.GetUtcNow() + TimeSpan.FromHours(1),
        };

        var scope = TokenStage.Scope("team/app", RepositoryActions.Pull | RepositoryActions.Push);

        var principal = stage.Accept(stage.Issue(holder, scope));

        Assert.Equal("user:alice", principal.Subject.ToString());
        Assert.Equal("htpasswd", principal.Subject.Method);
        Assert.Equal(["team-a"], principal.Subject.Groups);
        Assert.Equal(limit, principal.Limit);
        Assert.Equal("c-1", principal.CredentialId);
        Assert.Equal("hash-1", principal.Evidence);
        Assert.Equal("repository:team/app:pull,push", principal.Scope!.ToString());
        Assert.Equal(stage.Clock.GetUtcNow(), principal.IssuedAt);
        // The token's end, not the credential's.
        Assert.Equal(stage.Clock.GetUtcNow() + TimeSpan.FromMinutes(5), principal.ExpiresAt);
    }

    [Theory]
    [InlineData(3600, true)]
    [InlineData(3601, false)]
    [InlineData(86400 * 365, false)]
    public void Verify_OwnSignatureOverALongerLifeThanAny_IsRefused(int seconds, bool isGood)
    {
        // as a gateway with a fault would, or a thief of the key
        _stage.Options.Lifetime = TimeSpan.FromSeconds(seconds);

        if (isGood)
        {
            _stage.Accept(_stage.Issue());
            return;
        }

        Assert.Equal("its lifetime exceeds that of any access token", _stage.Refuse(_stage.Issue()).Reason);
    }

    [Fact]
    public void Verify_AnonymousToken_IsTheAnonymousSubjectWithItsScope()
    {
        var principal = _stage.Accept(_stage.Issue(Principal.Anonymous, TokenStage.Pull));

        Assert.Same(Subject.Anonymous, principal.Subject);
        Assert.Equal("repository:team/app:pull", principal.Scope!.ToString());
    }

    [Fact]
    public void Verify_SameTokenAgain_GivesTheSamePrincipal()
    {
        var token = _stage.Issue();

        Assert.Same(_stage.Accept(token), _stage.Accept(new string(token)));
        Assert.NotSame(_stage.Accept(token), _stage.Accept(_stage.Issue()));
    }

    [Theory]
    [InlineData("registry.test:443")]
    [InlineData("Registry.test")]
    [InlineData("other.test")]
    [InlineData("")]
    public void Verify_ForAnotherHost_IsRefusedAlsoWhereItIsKnown(string asked)
    {
        var token = _stage.Issue();
        _stage.Accept(token);

        var refused = Assert.IsType<AuthenticationResult.Refused>(_stage.Verifier.Verify(token, asked, null));

        Assert.Equal("its aud is another host", refused.Reason);
    }

    [Theory]
    [InlineData(59)]
    [InlineData(60)]
    public void Verify_IssuedByAClockAhead_IsAcceptedWithinTheLeeway(int seconds)
    {
        _stage.Clock.Advance(seconds * Second);
        var token = _stage.Issue();
        _stage.Clock.AdjustTime(_stage.Clock.GetUtcNow() - (seconds * Second));

        _stage.Accept(token);
    }

    [Theory]
    [InlineData(61)]
    [InlineData(3600)]
    public void Verify_IssuedByAClockFurtherAhead_IsRefusedWithTheDifference(int seconds)
    {
        _stage.Clock.Advance(seconds * Second);
        var token = _stage.Issue();
        _stage.Accept(token);
        // known by now, and refused all the same
        _stage.Clock.AdjustTime(_stage.Clock.GetUtcNow() - (seconds * Second));

        Assert.Equal(
            $"it was issued {seconds} s in the future by this gateway's clock; synchronize the clocks of the "
            + "gateway's replicas",
            _stage.Refuse(token).Message);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(59)]
    [InlineData(60)]
    public void Verify_ExpiredWithinTheLeeway_IsAccepted(int seconds)
    {
        var token = _stage.Issue();
        _stage.Clock.Advance(_stage.Options.Lifetime + (seconds * Second));

        _stage.Accept(token);
    }

    [Theory]
    [InlineData(61)]
    [InlineData(86400)]
    public void Verify_ExpiredLongerAgo_IsRefusedWithTheClockAlsoWhereItIsKnown(int seconds)
    {
        var token = _stage.Issue();
        _stage.Accept(token);
        _stage.Clock.Advance(_stage.Options.Lifetime + (seconds * Second));

        var refused = _stage.Refuse(token);

        Assert.Equal("it has expired", refused.Reason);
        Assert.Equal(
            $"it expired {seconds} s ago by this gateway's clock; get a new one from the token endpoint; if "
            + "this one is new, compare the clocks of the gateway's replicas",
            refused.Message);
    }

    [Fact]
    public void Verify_ContinuedUpload_AcceptsAnExpiredTokenUntilTheWindowEnds()
    {
        var until = _stage.Clock.GetUtcNow() + _stage.Options.UploadWindow; // the ticket was written just now
        var token = _stage.Issue();
        _stage.Clock.Advance(_stage.Options.UploadWindow - Second);
        var principal = _stage.Accept(token, until);
        Assert.True(principal.ExpiresAt < _stage.Clock.GetUtcNow()); // the ticket's window is not moved on by it

        _stage.Refuse(token); // any other request
        _stage.Clock.Advance(2 * Second);
        _stage.Refuse(token, until);
    }

    [Fact]
    public void Verify_ContinuedUpload_RevivesNoTokenThatHadExpiredBeforeItBegan()
    {
        var old = _stage.Issue();
        _stage.Clock.Advance(_stage.Options.Lifetime + (59 * Second));
        var justExpired = _stage.Clock.GetUtcNow() + _stage.Options.UploadWindow;
        _stage.Clock.Advance(2 * Second);
        var expired = _stage.Clock.GetUtcNow() + _stage.Options.UploadWindow;

        _stage.Accept(old, justExpired); // it was good, within the leeway, when that ticket's window began
        _stage.Refuse(old, expired);
    }

    [Fact]
    public void Verify_ContinuedUpload_EndsWithTheCredentialBehindTheToken()
    {
        var until = _stage.Clock.GetUtcNow() + _stage.Options.UploadWindow;
        var token = _stage.Issue(
            TokenStage.Alice with { ExpiresAt = _stage.Clock.GetUtcNow() + TimeSpan.FromHours(1) });
        _stage.Clock.Advance(TimeSpan.FromHours(1) - Second);
        _stage.Accept(token, until);
        _stage.Clock.Advance(Second);

        _stage.Refuse(token, until);
    }

    [Fact]
    public void Verify_ContinuedUpload_ChecksEverythingElse()
    {
        var until = _stage.Clock.GetUtcNow() + _stage.Options.UploadWindow;
        var token = _stage.Issue();
        _stage.Clock.Advance(TimeSpan.FromHours(1));
        var (header, payload, signature) = Forge.Parts(token);

        _stage.Refuse($"{header}.{payload}.{(signature[0] == 'A' ? 'B' : 'A')}{signature[1..]}", until);
        Assert.IsType<AuthenticationResult.Refused>(_stage.Verifier.Verify(token, "other.test", until));
        _stage.Accept(token, until);
        _stage.Subjects.Evidence.Clear();
        _stage.Refuse(token, until);
    }

    [Fact]
    public void Verify_CredentialRevokedMeanwhile_IsRefusedOnTheNextRequest()
    {
        var token = _stage.Issue(TokenStage.Alice with { CredentialId = "c-1" });
        var other = _stage.Issue(TokenStage.Alice with { CredentialId = "c-2" });
        _stage.Accept(token);
        _stage.Revoked.Credentials.Add("c-1");

        Assert.Equal("the credential was revoked", _stage.Refuse(token).Reason);
        _stage.Accept(other);
    }

    [Fact]
    public void Verify_StoreNeverReadSinceTheStart_IsUndecidedAndNeverAYes()
    {
        var password = _stage.Issue();
        var personal = _stage.Issue(TokenStage.Alice with { CredentialId = "c-1" });
        var nobodys = _stage.Issue(Principal.Anonymous);
        _stage.Revoked.HasRead = false;

        Assert.IsType<AuthenticationResult.Undecided>(_stage.Verify(password));
        Assert.IsType<AuthenticationResult.Undecided>(_stage.Verify(personal));
        _stage.Accept(nobodys); // there is nothing of nobody's to revoke

        _stage.Revoked.HasRead = true;
        _stage.Accept(password);
        _stage.Accept(personal);
    }

    [Fact]
    public void Verify_CredentialBehindItEnds_IsRefusedFromThatSecondOnAlsoForAnUpload()
    {
        var end = _stage.Clock.GetUtcNow() + TimeSpan.FromMinutes(2);
        var token = _stage.Issue(TokenStage.Alice with { CredentialId = "c-1", ExpiresAt = end });
        _stage.Clock.Advance(TimeSpan.FromSeconds(119));
        _stage.Accept(token);
        _stage.Clock.Advance(Second);

        Assert.Equal("the credential behind it has expired", _stage.Refuse(token).Reason);
        Assert.Equal("the credential behind it has expired", _stage.Refuse(token, end.AddHours(1)).Reason);
    }

    [Fact]
    public void Verify_SubjectsTokensRevokedMeanwhile_RefusesThoseIssuedBefore()
    {
        var token = _stage.Issue();
        _stage.Accept(token);
        _stage.Revoked.Subjects["user:alice"] = _stage.Clock.GetUtcNow();

        _stage.Refuse(token);
        _stage.Clock.Advance(Second);
        _stage.Accept(_stage.Issue());
    }

    [Fact]
    public void Verify_HolderBlocked_IsRefusedAsLongAsThatLasts()
    {
        _stage.Revoked.Time = _stage.Clock;
        var token = _stage.Issue();
        var nobodys = _stage.Issue(Principal.Anonymous);
        _stage.Accept(token);
        var end = _stage.Clock.GetUtcNow() + Second;
        _stage.Revoked.Blocks = SubjectBlocks.None.With(
            [new SubjectBlock("user:alice", end.AddDays(-1), "root") { Until = end }]);

        Assert.Equal("user:alice is blocked", _stage.Refuse(token).Reason);
        _stage.Accept(nobodys);
        _stage.Clock.Advance(Second);
        _stage.Accept(token);

        _stage.Revoked.Blocks = SubjectBlocks.None.With(
            [new SubjectBlock("user:alicia", end, "root"), new SubjectBlock("robot:alice", end, "root")]);
        _stage.Accept(token);
        _stage.Revoked.KnowsBlocks = false; // nobody can tell
        Assert.IsType<AuthenticationResult.Undecided>(_stage.Verify(token));
        _stage.Accept(nobodys);
    }

    [Fact]
    public void Verify_UserRemovedMeanwhile_IsRefusedOnTheNextRequest()
    {
        var token = _stage.Issue();
        _stage.Accept(token);
        _stage.Subjects.Evidence.Remove("alice");

        Assert.Equal("the user is gone", _stage.Refuse(token).Reason);
    }

    [Fact]
    public void Verify_PasswordChangedMeanwhile_IsRefusedOnTheNextRequest()
    {
        var token = _stage.Issue();
        _stage.Accept(token);
        _stage.Subjects.Evidence["alice"] = "hash-2";

        Assert.Equal("the password was changed", _stage.Refuse(token).Reason);
        _stage.Subjects.Evidence["alice"] = "hash-1";
        _stage.Accept(token);
    }

    [Fact]
    public void Verify_MethodThatIsNoLongerConfigured_VouchesForNobody()
    {
        var subject = TokenStage.Alice.Subject with { Method = "ldap:corp" };

        Assert.Equal(
            "the user is gone", _stage.Refuse(_stage.Issue(TokenStage.Alice with { Subject = subject })).Reason);
    }

    [Fact]
    public void Verify_KeyRetiredMeanwhile_IsRefusedOnTheNextRequest()
    {
        var token = _stage.Issue();
        _stage.Accept(token);
        var key = _stage.Keys.Key;
        _stage.Keys.Current = new SigningKeyRing([key, TestSigningKeys.Create(SigningAlgorithm.ES256)]);
        _stage.Accept(token); // the overlap of a rotation
        _stage.Keys.Current = new SigningKeyRing([TestSigningKeys.Create(SigningAlgorithm.ES256)]);

        Assert.Equal("its kid names no key of this gateway's", _stage.Refuse(token).Reason);
        _stage.Keys.Current = new SigningKeyRing([key]);
        _stage.Accept(token);
    }

    [Fact]
    public void Verify_OtherPublicUrl_IsRefused()
    {
        var elsewhere = new TokenStage();
        elsewhere.Keys.Current = _stage.Keys.Current; // a staging gateway with a copy of the keys
        var claims = Forge.Decode(Forge.Parts(_stage.Issue()).Payload)
            .Replace("https://registry.test", "https://staging.test", StringComparison.Ordinal);

        Assert.Equal(
            "its iss is another gateway's",
            elsewhere.Refuse(Forge.Signed(_stage.Keys.Key, Forge.Header(_stage.Keys.Key), claims)).Reason);
    }

    [Fact]
    public void Verify_KnownToken_AllocatesNothing()
    {
        var token = _stage.Issue();
        _stage.Accept(token);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
        {
            _stage.Verifier.Verify(token, TokenStage.Host, null);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void BoundedCache_MoreThanItHolds_DropsTheOldest()
    {
        var cache = new BoundedCache<int, string>(3);
        for (var i = 0; i < 100; i++)
        {
            cache.Add(i, $"{i}", static _ => false);
        }

        Assert.Equal(3, cache.Count);
        Assert.True(cache.TryGet(97, out _));
        Assert.False(cache.TryGet(96, out _));
    }

    [Fact]
    public void BoundedCache_AddedTwice_IsNotDroppedWithItsFirstCopy()
    {
        var cache = new BoundedCache<int, string>(2);
        cache.Add(1, "first", static _ => false);
        cache.Add(1, "second", static _ => false);
        cache.Add(2, "other", static _ => false);

        Assert.True(cache.TryGet(1, out var value));
        Assert.Equal("second", value);
    }

    [Fact]
    public void BoundedCache_EndedOnes_GoBeforeItIsFull()
    {
        var cache = new BoundedCache<int, string>(1000);
        cache.Add(1, "ended", static _ => false);
        cache.Add(2, "new", static value => value == "ended");

        Assert.Equal(1, cache.Count);
    }
}
