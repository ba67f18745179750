using System.Net;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Service;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using static Gateway.Tests.Support.TokenAnswers;

namespace Gateway.Tests.Server.Tokens.Service;

/// <summary>Refresh tokens of a whole gateway with a real store.</summary>
public sealed class RefreshTokenTests : IAsyncLifetime
{
    private readonly ShiftedClock _time = new();
    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _gateway = await TestGateway.StartAsync(
            _upstream.Address,
            change: static options =>
            {
                options.Tokens.RefreshTokens = true;
                options.Hosts = ["other.test"];
            },
            customize: builder => builder.Services.AddSingleton<TimeProvider>(_time));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Login_AskingForOne_IsGivenOneThatWorksEverywhereItIsShownAtTheTokenEndpoint()
    {
        var secret = await LoginAsync();

        var (post, fallback, helper) = await ShowEverywhereAsync(secret, "repository:team-a/app:pull,push,delete");

        Assert.Matches(CredentialSecret.ScannerPattern, secret);
        foreach (var reply in new[] { post, fallback, helper })
        {
            Assert.Equal(HttpStatusCode.OK, reply.Status);
            Assert.Equal("repository:team-a/app:pull,push", reply.Text("scope"));
            Assert.Null(reply.Text("refresh_token")); // only where it is asked for
            Assert.Equal("no-store", reply.Http.Headers.GetValues("Cache-Control").Single());
            var pull = await _gateway.RegistryAsync(
                "GET", "/v2/team-a/app/manifests/v1", "Bearer " + reply.Text("token"));
            Assert.Equal(HttpStatusCode.OK, pull.Status);
        }
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task Login_ByAnotherSitesPage_GetsNone(string header, string value)
    {
        // A browser sends cached credentials with it; a hundred of them would revoke the person's own.
        using var answer = await _gateway.SendAsync(
            HttpMethod.Get, "/token?offline_token=true", "alice", null, (header, value));
        var body = await answer.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.DoesNotContain("refresh_token", body, StringComparison.Ordinal);
        Assert.NotEmpty(await LoginAsync());
    }

    [Fact]
    public async Task Refresh_AskingForARefreshToken_GivesTheSameAgain()
    {
        var secret = await LoginAsync();

        for (var i = 0; i < 3; i++)
        {
            var post = await _gateway.PostAsync(
                ("grant_type", "refresh_token"), ("refresh_token", secret), ("access_type", "offline"));
            var get = await _gateway.AskAsync("?offline_token=true", BasicOf("", secret));
            Assert.Equal((secret, secret), (post.Text("refresh_token"), get.Text("refresh_token")));
        }

        Assert.Single(await StoredAsync());
    }

    [Fact]
    public async Task Login_ByPost_IsGivenOneToo()
    {
        var reply = await _gateway.PostAsync(
            ("grant_type", "password"), ("username", "alice"), ("password", "alice-password"),
            ("access_type", "offline"));

        Assert.StartsWith("rgf_", reply.Text("refresh_token"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NotAskedOrNotAPassword_GivesNone()
    {
        var (personal, _) = await _gateway.AddPersonalTokenAsync("alice");

        var unasked = await _gateway.AskAsync("?service=registry.test", TestGateway.Basic("alice"));
        var anonymous = await _gateway.AskAsync("?offline_token=true");
        var token = await _gateway.AskAsync("?offline_token=true", BasicOf("alice", personal));

        foreach (var reply in new[] { unasked, anonymous, token })
        {
            Assert.Equal(HttpStatusCode.OK, reply.Status);
            Assert.Null(reply.Text("refresh_token"));
        }

        Assert.Empty(await StoredAsync());
    }

    [Fact]
    public async Task RefreshToken_ShownToTheRegistryItself_IsRefusedWithATextThatSaysSo()
    {
        var secret = await LoginAsync();
        foreach (var authorization in new[]
        {
            BasicOf("", secret),
            BasicOf("<token>", secret),
            BasicOf("alice", secret),
            "Bearer " + secret,
        })
        {
            var reply = await _gateway.RegistryAsync("GET", "/v2/public/app/manifests/v1", authorization);

            Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
            Assert.Contains(
                "the token is not accepted: it is a refresh token, which only the token endpoint accepts", reply.Body,
                StringComparison.Ordinal);
        }

        // There too it stands without a user name: with one it would be a password that anybody could have typed.
        Assert.Equal(HttpStatusCode.Unauthorized, (await _gateway.AskAsync("", BasicOf("alice", secret))).Status);
        Assert.Empty(_upstream.Requests);
    }

    [Fact]
    public async Task Refresh_OnceRevoked_IsRefusedAndSaysSoAndSoAreItsAccessTokens()
    {
        var secret = await LoginAsync();
        var access = await _gateway.BearerAsync("repository:team-a/app:pull", BasicOf("", secret));
        Assert.Equal(HttpStatusCode.OK, (await PullAsync(access)).Status);

        var store = _gateway.Services.GetRequiredService<ICredentialStore>();
        await store.RevokeAsync((await StoredAsync()).Single().Id, _time.GetUtcNow(), CancellationToken.None);

        await Eventually.TrueAsync(
            async () => (await RefreshAsync(secret)).Status == HttpStatusCode.Unauthorized, TimeSpan.FromSeconds(5));
        Assert.Contains("it was revoked", (await RefreshAsync(secret)).Body, StringComparison.Ordinal);
        await Eventually.TrueAsync(
            async () => (await PullAsync(access)).Status == HttpStatusCode.Unauthorized, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Refresh_OnceExpired_IsRefusedAndSaysSo()
    {
        var secret = await LoginAsync();
        _time.Advance(TimeSpan.FromDays(89));
        Assert.Equal(HttpStatusCode.OK, (await RefreshAsync(secret)).Status);

        _time.Advance(TimeSpan.FromDays(1));

        var reply = await RefreshAsync(secret);
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_grant"), (reply.Status, reply.Text("error")));
        Assert.Contains("it expired", reply.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refresh_ShortlyBeforeItsEnd_GivesNoTokenThatLastsLonger()
    {
        var secret = await LoginAsync();
        _time.Advance(TimeSpan.FromDays(90) - TimeSpan.FromSeconds(100));

        var reply = await RefreshAsync(secret);

        Assert.InRange(reply.Json.GetProperty("expires_in").GetInt32(), 1, 100);
    }

    [Fact]
    public async Task Refresh_AfterANewPassword_IsRefusedWhileOthersGoOn()
    {
        var alice = await LoginAsync();
        var bob = await LoginAsync("bob");
        var lines = await File.ReadAllLinesAsync(_gateway.UsersFile);
        await File.WriteAllLinesAsync(_gateway.UsersFile, lines.Select(static line =>
            line.StartsWith("alice:", StringComparison.Ordinal) ? "alice:" + TestUsers.Hash("another") : line));

        await Eventually.TrueAsync(async () => (await RefreshAsync(alice)).Status == HttpStatusCode.Unauthorized);
        Assert.Contains("the password was changed since", (await RefreshAsync(alice)).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await RefreshAsync(bob)).Status);
    }

    [Fact]
    public async Task Refresh_OfAUserWhoIsGone_IsRefused()
    {
        var secret = await LoginAsync();
        await File.WriteAllTextAsync(_gateway.UsersFile, "");

        await Eventually.TrueAsync(async () => (await RefreshAsync(secret)).Status == HttpStatusCode.Unauthorized);
        Assert.Contains("its owner no longer exists", (await RefreshAsync(secret)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refresh_AtAnotherHost_IsRefused()
    {
        var secret = await LoginAsync();
        var form = "grant_type=refresh_token&refresh_token=" + secret;

        var other = await SendAsync("other.test");
        var own = await SendAsync("registry.test");

        Assert.StartsWith("HTTP/1.1 401 ", other, StringComparison.Ordinal);
        Assert.Contains("it was issued for another host name", other, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", own, StringComparison.Ordinal);

        Task<string> SendAsync(string host) => _gateway.SendRawAsync(
            $"POST /token HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: "
            + $"application/x-www-form-urlencoded\r\nContent-Length: {form.Length}\r\n\r\n{form}");
    }

    [Theory]
    [InlineData("rgf_")]
    [InlineData("alice-password")]
    [InlineData("rgf_00000000000000000000000000000000000000")]
    public async Task Refresh_WithSomethingElse_IsRefused(string secret)
    {
        var reply = await RefreshAsync(secret);
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_grant"), (reply.Status, reply.Text("error")));
    }

    [Fact]
    public async Task Refresh_WithASecretThatNobodyWasGiven_IsRefused()
    {
        var reply = await RefreshAsync(CredentialSecret.Create(CredentialSecretKind.Refresh).Reveal());
        Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        Assert.Contains("it is not known here", reply.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refresh_WithAPersonalToken_IsRefused()
    {
        var (personal, _) = await _gateway.AddPersonalTokenAsync("alice");

        Assert.Equal(HttpStatusCode.Unauthorized, (await RefreshAsync(personal)).Status);
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", BasicOf("alice", personal))).Status);
    }

    [Fact]
    public async Task Login_TheHundredAndFirst_EndsTheOneThatWasUnusedLongest()
    {
        var tokens = _gateway.Services.GetRequiredService<RefreshTokens>();
        var alice = new Principal
        {
            Subject = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" },
            Evidence = Assert.IsType<SubjectState.Current>(
                await _gateway.Services.GetServices<ISubjectSource>().Single()
                    .ResolveAsync("alice", CancellationToken.None)).Evidence,
        };
        var secrets = new List<string>();
        for (var i = 0; i < RefreshTokens.MostPerSubject; i++)
        {
            secrets.Add((await tokens.IssueAsync(alice, "registry.test", CancellationToken.None))!);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        // The first one is in use, so the second is the longest unused.
        var store = _gateway.Services.GetRequiredService<ICredentialStore>();
        var first = await store.FindAsync(SecretHash.Of(secrets[0]), CancellationToken.None);
        await store.RecordUsesAsync(
            [new CredentialUse(first!.Id, _time.GetUtcNow(), IPAddress.Loopback)], CancellationToken.None);
        var bobs = await LoginAsync("bob");
        Assert.All(await StoredAsync(), static credential => Assert.Null(credential.RevokedAt));

        var latest = await LoginAsync();

        var revoked = (await StoredAsync()).Where(static credential => credential.RevokedAt is not null);
        Assert.Equal(SecretHash.Of(secrets[1]), Assert.Single(revoked).Hash);
        foreach (var secret in new[] { secrets[0], secrets[2], latest, bobs })
        {
            Assert.Equal(HttpStatusCode.OK, (await RefreshAsync(secret)).Status);
        }
    }

    [Fact]
    public async Task RefreshTokens_TurnedOff_AreNeitherGivenNorTaken()
    {
        await using var off = await TestGateway.StartAsync(_upstream.Address);
        var secret = await LoginAsync();
        var stored = (await StoredAsync()).Single();
        await off.Services.GetRequiredService<ICredentialStore>().AddAsync(stored, CancellationToken.None);

        var given = await off.AskAsync("?offline_token=true", TestGateway.Basic("alice"));
        var taken = await off.PostAsync(("grant_type", "refresh_token"), ("refresh_token", secret));

        Assert.Null(given.Text("refresh_token"));
        Assert.Equal(HttpStatusCode.Unauthorized, taken.Status);
        Assert.Contains("refresh tokens are turned off; run docker login again", taken.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Issue_ForAnythingButAPassword_GivesNone()
    {
        var tokens = _gateway.Services.GetRequiredService<RefreshTokens>();
        var password = new Principal
        {
            Subject = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" },
            Evidence = "evidence",
        };
        Principal[] others =
        [
            Principal.Anonymous,
            password with { CredentialId = "id" },
            password with { Scope = AccessScope.Empty },
            password with { Evidence = null },
            password with { Subject = new Subject { Kind = SubjectKind.Robot, Name = "ci", Method = "robot" } },
        ];

        foreach (var other in others)
        {
            Assert.Null(await tokens.IssueAsync(other, "registry.test", CancellationToken.None));
        }

        Assert.NotNull(await tokens.IssueAsync(password, "registry.test", CancellationToken.None));
        Assert.NotNull(await tokens.IssueAsync(
            password with { ExpiresAt = _time.GetUtcNow() + TimeSpan.FromHours(1) }, "registry.test",
            CancellationToken.None));
        Assert.Equal(
            [TimeSpan.FromHours(1), TimeSpan.FromDays(90)],
            (await StoredAsync()).Select(
                credential => TimeSpan.FromHours(Math.Round((credential.ExpiresAt - _time.GetUtcNow()).TotalHours)))
                    .Order());
    }

    private async Task<string> LoginAsync(string user = "alice")
    {
        var reply = await _gateway.AskAsync(
            $"?account={user}&client_id=docker&offline_token=true&service=registry.test", TestGateway.Basic(user));
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        return reply.Text("refresh_token")!;
    }

    private Task<Reply> RefreshAsync(string secret) =>
        _gateway.PostAsync(("grant_type", "refresh_token"), ("refresh_token", secret), ("service", "registry.test"));

    private Task<Reply> PullAsync(string authorization) =>
        _gateway.RegistryAsync("GET", "/v2/team-a/app/manifests/v1", authorization);

    private async Task<(Reply Post, Reply Fallback, Reply Helper)> ShowEverywhereAsync(string secret, string scope) => (
        await _gateway.PostAsync(
            ("grant_type", "refresh_token"), ("refresh_token", secret), ("service", "registry.test"),
            ("client_id", "docker"), ("scope", scope)),
        await _gateway.AskAsync("?service=registry.test&scope=" + scope, BasicOf("", secret)), // containerd, BuildKit
                                                                                               // docker's helpers
        await _gateway.AskAsync("?service=registry.test&scope=" + scope, BasicOf("<token>", secret)));

    private async Task<IReadOnlyList<StoredCredential>> StoredAsync() =>
        [.. (await _gateway.Services.GetRequiredService<ICredentialStore>().ListAsync(null, CancellationToken.None))
            .Where(static credential => credential.Kind == CredentialKind.Refresh)];

    private static string BasicOf(string user, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
}
