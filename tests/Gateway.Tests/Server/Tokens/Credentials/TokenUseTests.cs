using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Credentials;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Tokens.Credentials;

/// <summary>Personal and robot tokens at the registry, through the whole gateway.</summary>
public sealed class TokenUseTests : IAsyncLifetime
{
    private const string Manifest = "/v2/team-a/app/manifests/latest";
    private const string Policy = TestGateway.DefaultPolicy + """

          - { name: the robot writes, to: ["robot:ci-deploy"], role: writer, on: ["team-a/**"] }
        """;

    private readonly ShiftedClock _time = new();
    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    private CredentialService Tokens => _gateway.Services.GetRequiredService<CredentialService>();

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _gateway = await TestGateway.StartAsync(
            _upstream.Address,
            Policy,
            customize: builder => builder.Services.AddSingleton<TimeProvider>(_time));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData("alice")]
    [InlineData("token")]
    [InlineData("<token>")]
    public async Task PersonalToken_AsThePasswordOfItsOwner_IsTheOwner(string userName)
    {
        var secret = await CreateAsync("alice", null);

        var answer = await SendAsync("GET", Manifest, Basic(userName, secret));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var forwarded = Assert.Single(_upstream.Requests);
        Assert.DoesNotContain(forwarded.Headers, static header => header.Key == "Authorization");
    }

    [Theory]
    [InlineData("bob")]
    [InlineData("Alice")]
    [InlineData("admin")]
    [InlineData("robot$alice")]
    [InlineData("")]
    public async Task PersonalToken_WithAnotherUserName_IsRefusedWithTheRightOne(string userName)
    {
        var secret = await CreateAsync("alice", null);

        var answer = await SendAsync("GET", Manifest, Basic(userName, secret));

        AssertRefused(
            answer,
            "authentication failed: the token is not accepted: it is not this user's: sign in as \"alice\", or as "
                + "\"token\"");
    }

    [Fact]
    public async Task PersonalToken_AsBearer_IsTheOwner()
    {
        var secret = await CreateAsync("alice", null);

        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, "Bearer " + secret)).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", "/v2/", "Bearer " + secret)).Status);
    }

    // What docker login and docker pull do.
    [Fact]
    public async Task PersonalToken_AtTheTokenEndpoint_IsExchangedForAnAccessToken()
    {
        var secret = await CreateAsync("alice", ["team-a/**:pull"]);

        Assert.Equal(
            HttpStatusCode.OK,
            (await SendAsync("GET", "/v2/", "Bearer " + await GrantAsync("alice", secret, ""))).Status);
        var access = await GrantAsync("alice", secret, "&scope=repository:team-a/app:pull,push");
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, "Bearer " + access)).Status);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await SendAsync("POST", "/v2/team-a/app/blobs/uploads/", "Bearer " + access)).Status);
    }

    [Theory]
    [InlineData("Basic")]
    [InlineData("Bearer")]
    public async Task PullOnlyToken_Push_IsRefusedWithTheReason(string scheme)
    {
        var secret = await CreateAsync("alice", ["team-a/**:pull"]);
        var authorization = scheme == "Basic" ? Basic("alice", secret) : "Bearer " + secret;

        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, authorization)).Status);
        foreach (var (method, target) in new[]
        {
            ("POST", "/v2/team-a/app/blobs/uploads/"), ("PUT", Manifest),
        })
        {
            var answer = await SendAsync(method, target, authorization);
            Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
            Assert.Equal(
                "DENIED: the token of user:alice may not push team-a/app: it is limited to team-a/**:pull; "
                + "use a token for this repository, or sign in with the password",
                answer.Error.Replace("pull, push", "push", StringComparison.Ordinal));
        }

        Assert.Single(_upstream.Requests); // the pull alone

        // The password itself still pushes: it is the token that is limited.
        Assert.NotEqual(
            HttpStatusCode.Forbidden,
            (await SendAsync("POST", "/v2/team-a/app/blobs/uploads/", TestGateway.Basic("alice"))).Status);
    }

    [Fact]
    public async Task Token_AnotherRepository_IsRefusedWithTheReason()
    {
        var secret = await CreateAsync("alice", ["team-a/app:pull,push"]);

        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("alice", secret))).Status);
        var answer = await SendAsync("GET", "/v2/team-a/web/manifests/latest", Basic("alice", secret));

        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.Contains("it is limited to team-a/app:pull,push", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_WiderThanItsOwner_GivesNothingMore()
    {
        var secret = await CreateAsync("bob", ["**:pull,push,delete"]);

        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("bob", secret))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync("PUT", Manifest, Basic("bob", secret))).Status);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await SendAsync("GET", "/v2/secret/app/manifests/latest", Basic("bob", secret))).Status);
    }

    [Theory]
    [InlineData("ci-deploy")]
    [InlineData("token")]
    public async Task Robot_TwoLiveTokens_BothWork(string userName)
    {
        var first = await CreateAsync("robot:ci-deploy", ["team-a/**:pull,push"]);
        var second = await CreateAsync("robot:ci-deploy", ["team-a/**:pull,push"]);

        foreach (var secret in new[] { first, second })
        {
            Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic(userName, secret))).Status);
            var access = await GrantAsync(userName, secret, "&scope=repository:team-a/app:pull,push");
            Assert.Equal(HttpStatusCode.OK, (await SendAsync("PUT", Manifest, "Bearer " + access)).Status);
        }

        AssertRefused(
            await SendAsync("GET", Manifest, Basic("robot$ci-deploy", first)),
            "authentication failed: the token is not accepted: it is not this user's: sign in as \"ci-deploy\", or as "
                + "\"token\"");
    }

    [Fact]
    public async Task Rotated_OldTokenLastsItsOverlapAndNoLonger()
    {
        var old = await IssueAsync("robot:ci-deploy", ["team-a/**:pull"]);
        var rotated = (CredentialOutcome.Issued)await Tokens.RotateAsync(
            old.Credential, TimeSpan.FromHours(1), null, "operator", default);
        var end = rotated.Replaced!.ExpiresAt;

        Assert.Equal(
            HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("ci-deploy", old.Secret.Reveal()))).Status);
        _time.StandAt(end.AddTicks(-1));
        Assert.Equal(
            HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("ci-deploy", old.Secret.Reveal()))).Status);
        _time.StandAt(end);
        AssertRefused(
            await SendAsync("GET", Manifest, Basic("ci-deploy", old.Secret.Reveal())),
            "authentication failed: the token is not accepted: it (\"laptop\") expired "
                + $"on {end:yyyy-MM-dd HH:mm:ss} UTC; create a new one");
        Assert.Equal(
            HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("ci-deploy", rotated.Secret.Reveal()))).Status);
    }

    [Fact]
    public async Task Expired_Token_IsToldWhen()
    {
        var issued = await IssueAsync("alice", null, TimeSpan.FromHours(1));
        var secret = issued.Secret.Reveal();
        var access = await GrantAsync("alice", secret, "&scope=repository:team-a/app:pull");
        var end = issued.Credential.ExpiresAt;

        _time.StandAt(end.AddTicks(-1));
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("alice", secret))).Status);
        _time.StandAt(end);
        var why = $"the token is not accepted: it (\"laptop\") expired on {end:yyyy-MM-dd HH:mm:ss} UTC; create a new "
            + "one";
        AssertRefused(await SendAsync("GET", Manifest, Basic("alice", secret)), "authentication failed: " + why);
        AssertRefused(await SendAsync("GET", Manifest, "Bearer " + secret), "authentication failed: " + why);
        AssertRefused(
            await SendAsync("GET", "/token?service=registry.test", Basic("alice", secret)),
            "authentication failed: " + why);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("GET", Manifest, "Bearer " + access)).Status);
    }

    [Fact]
    public async Task Revoked_Token_IsRefusedFromTheNextRequestOn()
    {
        var issued = await IssueAsync("alice", null);
        var secret = issued.Secret.Reveal();
        var access = await GrantAsync("alice", secret, "&scope=repository:team-a/app:pull");
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("alice", secret))).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, "Bearer " + access)).Status);

        using var revoked = await _gateway.SendAsync(
            HttpMethod.Delete, $"/api/v1/tokens/{issued.Credential.Id}", "alice");
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);

        var refused = await SendAsync("GET", Manifest, Basic("alice", secret));
        Assert.StartsWith(
            "UNAUTHORIZED: authentication failed: the token is not accepted: it (\"laptop\") was revoked on 20",
            refused.Error, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("GET", Manifest, "Bearer " + secret)).Status);
        // issued for it
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("GET", Manifest, "Bearer " + access)).Status);
        // the password is not
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, TestGateway.Basic("alice"))).Status);
    }

    [Fact]
    public async Task Revoked_ByAnotherProcess_IsRefusedWithinASecond()
    {
        var issued = await IssueAsync("alice", null);
        var authorization = Basic("alice", issued.Secret.Reveal());
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, authorization)).Status);

        await using (var elsewhere = SqliteCredentialStore.Open(
            _gateway.Services.GetRequiredService<GatewayOptions>().State.Folder))
        {
            await elsewhere.RevokeAsync(issued.Credential.Id, TimeProvider.System.GetUtcNow(), default);
        }

        var watch = Stopwatch.StartNew();
        while ((await SendAsync("GET", Manifest, authorization)).Status == HttpStatusCode.OK)
        {
            // a second, on a quiet machine
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), "the revocation is not seen");
        }
    }

    [Fact]
    public async Task OwnerRemoved_TokensEndWithHim()
    {
        var secret = await CreateAsync("alice", null);
        var robot = await CreateAsync("robot:ci-deploy", ["team-a/**:pull"]);
        var access = await GrantAsync("alice", secret, "&scope=repository:team-a/app:pull");
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("alice", secret))).Status);

        await RewriteUsersAsync(
            static line => !line.StartsWith("alice:", StringComparison.Ordinal), static line => line);

        AssertRefused(
            await SendAsync("GET", Manifest, Basic("alice", secret)),
            "authentication failed: the token is not accepted: its owner no longer exists");
        AssertRefused(
            await SendAsync("GET", Manifest, "Bearer " + secret),
            "authentication failed: the token is not accepted: its owner no longer exists");
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync("GET", Manifest, "Bearer " + access)).Status);
        // nobody's
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("ci-deploy", robot))).Status);
    }

    [Fact]
    public async Task OwnersNewPassword_LeavesHisTokens()
    {
        var secret = await CreateAsync("alice", null);

        await RewriteUsersAsync(
            static _ => true,
            static line => line.StartsWith("alice:", StringComparison.Ordinal)
                ? "alice:" + TestUsers.Hash("another")
                : line);

        Assert.Equal(
            HttpStatusCode.Unauthorized, (await SendAsync("GET", Manifest, TestGateway.Basic("alice"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("alice", secret))).Status);
    }

    [Fact]
    public async Task Mistyped_Token_IsToldSoAndNotHashed()
    {
        var secret = await CreateAsync("alice", null);
        var slip = secret[..10] + (secret[10] == 'x' ? 'y' : 'x') + secret[11..];

        foreach (var authorization in new[] { Basic("alice", slip), "Bearer " + slip })
        {
            AssertRefused(
                await SendAsync("GET", Manifest, authorization),
                "authentication failed: the token is not accepted: it was mistyped, since its checksum is wrong: copy "
                    + "the complete token again");
        }
    }

    [Fact]
    public async Task Unknown_Token_IsRefused()
    {
        var never = CredentialSecret.Create(CredentialSecretKind.Personal).Reveal();

        AssertRefused(
            await SendAsync("GET", Manifest, Basic("alice", never)),
            "authentication failed: the token is not accepted: it is unknown or was deleted");
    }

    [Fact]
    public async Task Password_ThatOnlyBeginsLikeAToken_IsStillAPassword()
    {
        await RewriteUsersAsync(
            static _ => true,
            static line => line.StartsWith("alice:", StringComparison.Ordinal)
                ? "alice:" + TestUsers.Hash("rgp_password")
                : line);

        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("alice", "rgp_password"))).Status);
    }

    [Fact]
    public async Task StoreGone_TokensAreTriedAgainLaterAndPasswordsGoOn()
    {
        await using var redis = await RedisServer.StartAsync();
        await _gateway.DisposeAsync();
        _gateway = await TestGateway.StartAsync(
            _upstream.Address,
            change: options => (options.State.Store, options.Redis) = (StateStoreKind.Redis, redis.Options));
        var secret = await CreateAsync("alice", null);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, Basic("alice", secret))).Status);
        var never = CredentialSecret.Create(CredentialSecretKind.Personal).Reveal();

        await redis.KillAsync();

        // Not a 401, for which clients would forget a good token. What was looked up before is good for a second more.
        Assert.Equal(
            HttpStatusCode.ServiceUnavailable, (await SendAsync("GET", Manifest, Basic("alice", never))).Status);
        var watch = Stopwatch.StartNew();
        while ((await SendAsync("GET", Manifest, Basic("alice", secret))).Status != HttpStatusCode.ServiceUnavailable)
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), "the loss is not seen");
        }

        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", Manifest, TestGateway.Basic("alice"))).Status);
        await redis.StartAgainAsync();
        watch.Restart();
        while ((await SendAsync("GET", Manifest, Basic("alice", secret))).Status != HttpStatusCode.OK)
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), "the return is not seen");
        }
    }

    [Fact]
    public async Task Use_IsNotedWithItsAddress()
    {
        var issued = await IssueAsync("alice", null);
        await SendAsync("GET", Manifest, Basic("alice", issued.Secret.Reveal()));

        await _gateway.Services.GetRequiredService<CredentialUses>().FlushAsync(default);

        var kept = await Tokens.FindAsync(issued.Credential.Id, default);
        Assert.NotNull(kept!.LastUsedAt);
        Assert.Equal(IPAddress.Loopback, kept.LastUsedFrom);
    }

    [Fact]
    public async Task SameToken_IsTheSameSubjectEachTime() // policy works out groups once for each
    {
        var secret = await CreateAsync("alice", null);
        var verifier = _gateway.Services.GetRequiredService<IIssuedCredentials>();

        var first = await verifier.VerifyAsync(
            PresentedSecret.OfPassword(secret), "alice", IPAddress.Loopback, default);
        var second = await verifier.VerifyAsync(
            PresentedSecret.OfPassword(secret), null, IPAddress.IPv6Loopback, default);

        Assert.Same(first, second);
    }

    [Fact]
    public async Task RefreshToken_IsNotMine()
    {
        var verifier = _gateway.Services.GetRequiredService<IIssuedCredentials>();
        var secret = CredentialSecret.Create(CredentialSecretKind.Refresh).Reveal();

        Assert.IsType<AuthenticationResult.NotMine>(
            await verifier.VerifyAsync(PresentedSecret.OfPassword(secret), "alice", IPAddress.Loopback, default));
        AssertRefused(
            await SendAsync("GET", Manifest, Basic("alice", secret)),
            "authentication failed: the token is not accepted: it is a refresh token, which only the token endpoint "
                + "accepts");
    }

    private static string Basic(string user, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));

    private static void AssertRefused(ApiResult answer, string message)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Equal("UNAUTHORIZED: " + message, answer.Error);
    }

    private async Task<string> CreateAsync(string owner, string[]? scopes) =>
        (await IssueAsync(owner, scopes)).Secret.Reveal();

    private async Task<CredentialOutcome.Issued> IssueAsync(string owner, string[]? scopes, TimeSpan? lifetime = null)
    {
        CredentialLimit? limit = null;
        Assert.True(scopes is null || CredentialLimit.TryParse(scopes, out limit, out _));
        return Assert.IsType<CredentialOutcome.Issued>(await Tokens.CreateAsync(
            new CredentialOrder
            {
                Owner = owner.StartsWith("robot:", StringComparison.Ordinal)
                    ? CredentialOwner.Robot(owner["robot:".Length..])
                    : CredentialOwner.User(owner),
                Name = "laptop",
                Limit = limit,
                Lifetime = lifetime,
                CreatedBy = "operator",
            },
            default));
    }

    private async Task<string> GrantAsync(string user, string secret, string scope)
    {
        using var answer = await _gateway.SendAsync(
            HttpMethod.Get, "/token?service=registry.test" + scope, headers: ("Authorization", Basic(user, secret)));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return document.RootElement.GetProperty("token").GetString()!;
    }

    private async Task<ApiResult> SendAsync(string method, string target, string authorization)
    {
        using var answer = await _gateway.SendAsync(
            new HttpMethod(method),
            target,
            content: method == "PUT"
                ? new StringContent("{}", Encoding.UTF8, "application/vnd.oci.image.manifest.v1+json")
                : null,
            headers: ("Authorization", authorization));
        return new ApiResult(answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task RewriteUsersAsync(Func<string, bool> keep, Func<string, string> change)
    {
        var lines = await File.ReadAllLinesAsync(_gateway.UsersFile);
        await File.WriteAllLinesAsync(_gateway.UsersFile, lines.Where(keep).Select(change));
        await _gateway.Services.GetRequiredService<Reloadable<HtpasswdFile>>().ReloadAsync(
            isAccepted: false, CancellationToken.None);
    }

    private sealed record ApiResult(HttpStatusCode Status, string Body)
    {
        public string Error
        {
            get
            {
                using var document = JsonDocument.Parse(Body);
                var error = Assert.Single(document.RootElement.GetProperty("errors").EnumerateArray());
                return $"{error.GetProperty("code").GetString()}: {error.GetProperty("message").GetString()}";
            }
        }
    }
}
