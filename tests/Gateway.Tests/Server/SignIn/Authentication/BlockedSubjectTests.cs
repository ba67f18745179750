using System.Net;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Credentials;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using static Gateway.Tests.Support.TokenAnswers;

namespace Gateway.Tests.Server.SignIn.Authentication;

/// <summary>Whom an operator blocked is refused at a whole gateway, whatever they show, and nobody else is.</summary>
public sealed class BlockedSubjectTests : IAsyncLifetime, IDisposable
{
    private const string Manifest = "/v2/team-a/app/manifests/latest";
    private const string Refused = "user:alice is blocked by the operator of this registry";
    private const string Policy = """
        rules:
          - { name: all write, to: ["user:alice", "user:alice2", "user:Alice", "robot:alice"], role: writer, on: ["team-a/**"] }
        """;

    private readonly ShiftedClock _time = new();
    private readonly TemporaryFolder _folder = new();
    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _folder.Write("users", string.Concat(
            new[]
            {
                "alice",
                "alice2",
                "Alice",
            }.Select(static name => $"{name}:{TestUsers.Hash(name + "-password")}\n")));
        _gateway = await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Blocked_EveryKindOfCredential_IsRefused_AndGoesOnAfterwards()
    {
        var shown = await ShowAsync("alice");
        var neighbours = await ShowAsync("alice2");
        var capital = await ShowAsync("Alice");
        var robot = await RobotAsync("alice");
        await AssertAllAsync(shown, accepted: true);

        await _gateway.BlockAsync("user:alice");

        await AssertAllAsync(shown, accepted: false);
        await AssertAllAsync(neighbours, accepted: true);
        await AssertAllAsync(capital, accepted: true);
        Assert.Equal(HttpStatusCode.OK, (await _gateway.RegistryAsync("GET", Manifest, Basic("token", robot))).Status);

        await _gateway.UnblockAsync("user:alice");
        await AssertAllAsync(shown, accepted: true);

        await _gateway.BlockAsync("robot:alice");
        await AssertAllAsync(shown, accepted: true);
        Assert.Equal(
            HttpStatusCode.Unauthorized, (await _gateway.RegistryAsync("GET", Manifest, Basic("token", robot))).Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized, (await _gateway.RegistryAsync("GET", Manifest, "Bearer " + robot)).Status);
    }

    [Fact]
    public async Task Blocked_RightCredentials_AreToldSo_AndWrongOnesAreNot()
    {
        var (token, _) = await _gateway.AddPersonalTokenAsync("alice");
        var wrong = await ErrorAsync("alice", "wrong");
        var unknown = CredentialSecret.Create(CredentialSecretKind.Personal).Reveal();
        var wrongToken = await ErrorAsync("alice", unknown);
        var end = _time.GetUtcNow().AddDays(1);

        await _gateway.BlockAsync("user:alice");
        foreach (var password in new[] { "alice-password", token })
        {
            Assert.Contains(Refused, await ErrorAsync("alice", password), StringComparison.Ordinal);
        }

        Assert.Equal(wrong, await ErrorAsync("alice", "wrong"));
        Assert.Equal(wrongToken, await ErrorAsync("alice", unknown));
        Assert.DoesNotContain("blocked", wrong + wrongToken, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "for operators alone", await ErrorAsync("alice", "alice-password"), StringComparison.Ordinal);

        await _gateway.BlockAsync("user:alice", end);
        Assert.Contains(
            $"{Refused} until {end.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC", await ErrorAsync("alice", "alice-password"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unblocked_WhatWasRevokedMeanwhile_StaysRevoked()
    {
        var (revoked, id) = await _gateway.AddPersonalTokenAsync("alice");
        var (other, _) = await _gateway.AddPersonalTokenAsync("alice");
        var access = await _gateway.BearerAsync("repository:team-a/app:pull", Basic("alice", revoked));
        await _gateway.BlockAsync("user:alice");
        Assert.True(
            await _gateway.Services.GetRequiredService<CredentialService>().RevokeAsync(id, "operator", default));

        await _gateway.UnblockAsync("user:alice");

        Assert.Equal(HttpStatusCode.OK, (await _gateway.RegistryAsync("GET", Manifest, "Bearer " + other)).Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized, (await _gateway.RegistryAsync("GET", Manifest, "Bearer " + revoked)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _gateway.RegistryAsync("GET", Manifest, access)).Status);
    }

    [Fact]
    public async Task Blocked_UntilAnInstant_IsLetInFromThenOn()
    {
        var shown = await ShowAsync("alice");
        await _gateway.BlockAsync("user:alice", _time.GetUtcNow().AddMinutes(2));
        _time.Advance(TimeSpan.FromSeconds(60));
        await AssertAllAsync(shown, accepted: false);

        _time.Advance(TimeSpan.FromSeconds(61));

        await AssertAllAsync(shown, accepted: true);
    }

    [Fact]
    public async Task Blocked_GoodCredentials_AreNoGuesses_AndOnRecord()
    {
        await _gateway.BlockAsync("user:alice");
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(
                HttpStatusCode.Unauthorized,
                (await _gateway.RegistryAsync("GET", "/v2/", Basic("alice", "alice-password"))).Status);
        }

        // From the same address.
        Assert.Equal(
            HttpStatusCode.OK,
            (await _gateway.RegistryAsync("GET", "/v2/", Basic("alice2", "alice2-password"))).Status);
        var line = await AuditRecords.FindAsync(
            _gateway,
            static line => line.TryGetProperty("signIn", out var signIn)
                && signIn.GetProperty("outcome").GetString() == "refused");
        Assert.Contains("user:alice is blocked", line.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NobodyKnowsWhoIsBlocked_NobodyIsLetIn_UntilTheStoreAnswers()
    {
        await using var redis = RedisServer.Prepare(); // nothing listens yet, and this machine has no blocked.json
        await using var gateway = await StartAsync(redis);

        var refused = await gateway.RegistryAsync("GET", "/v2/", Basic("alice", "alice-password"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.Status); // not 401: clients keep what they have
        // asked to sign in, as ever
        Assert.Equal(HttpStatusCode.Unauthorized, (await gateway.RegistryAsync("GET", "/v2/", null)).Status);
        await redis.StartAgainAsync();
        await Eventually.TrueAsync(async () =>
            (await gateway.RegistryAsync("GET", "/v2/", Basic("alice", "alice-password"))).Status == HttpStatusCode.OK);
    }

    private Task<TestGateway> StartAsync(RedisServer? redis = null) => TestGateway.StartAsync(
        _upstream.Address,
        Policy,
        options =>
        {
            options.Authentication.Htpasswd!.File = Path.Combine(_folder.Path, "users");
            options.Tokens.RefreshTokens = true;
            if (redis is not null)
            {
                options.State.Store = StateStoreKind.Redis;
                options.Redis = redis.Options;
            }
        },
        builder => builder.Services.AddSingleton<TimeProvider>(_time));

    private static string Basic(string user, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));

    private static async Task AssertAllAsync(Dictionary<string, Func<Task<Reply>>> shown, bool accepted)
    {
        foreach (var (what, show) in shown)
        {
            var reply = await show();
            Assert.True(
                accepted ? reply.Status is HttpStatusCode.OK or HttpStatusCode.Accepted
                    : reply.Status == HttpStatusCode.Unauthorized
                    || (reply.Status == HttpStatusCode.BadRequest && reply.Text("error") == "invalid_grant"),
                $"{what}: {reply.Status} {reply.Body}");
        }
    }

    private async Task<string> ErrorAsync(string user, string password)
    {
        var reply = await _gateway.RegistryAsync("GET", "/v2/", Basic(user, password));
        Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        return reply.Json.GetProperty("errors")[0].GetProperty("message").GetString()!;
    }

    /// <summary>Everything that a person of the htpasswd file may have, each as a request with it.</summary>
    private async Task<Dictionary<string, Func<Task<Reply>>>> ShowAsync(string user)
    {
        var password = Basic(user, user + "-password");
        var (personal, _) = await _gateway.AddPersonalTokenAsync(user);
        var access = await _gateway.BearerAsync("repository:team-a/app:pull,push", password);
        var accessOfToken = await _gateway.BearerAsync("repository:team-a/app:pull,push", Basic(user, personal));
        var login = await _gateway.PostAsync(
            ("grant_type", "password"), ("service", TestGateway.Host), ("client_id", "docker"),
            ("access_type", "offline"),
            ("username", user), ("password", user + "-password"));
        var refresh = login.Text("refresh_token")!;
        var upload = _gateway.UploadTarget(user);
        return new()
        {
            ["password at the registry"] = () => _gateway.RegistryAsync("GET", Manifest, password),
            ["password at the ping"] = () => _gateway.RegistryAsync("GET", "/v2/", password),
            ["password at the token endpoint"] = () => _gateway.AskAsync("?service=registry.test", password),
            ["password in a form"] = () => _gateway.PostAsync(
                ("grant_type", "password"), ("service", TestGateway.Host), ("client_id", "docker"), ("username", user),
                ("password", user + "-password")),
            ["password at the token API"] = () => _gateway.RegistryAsync("GET", "/api/v1/tokens", password),
            ["personal token as password"] = () => _gateway.RegistryAsync("GET", Manifest, Basic(user, personal)),
            ["personal token as bearer"] = () => _gateway.RegistryAsync("GET", Manifest, "Bearer " + personal),
            ["personal token at the token endpoint"] = () => _gateway.AskAsync(
                "?service=registry.test", Basic(user, personal)),
            ["access token"] = () => _gateway.RegistryAsync("GET", Manifest, access),
            ["access token of a personal token"] = () => _gateway.RegistryAsync("GET", Manifest, accessOfToken),
            ["refresh token"] = () => _gateway.PostAsync(
                ("grant_type", "refresh_token"), ("service", TestGateway.Host), ("client_id", "docker"),
                ("refresh_token", refresh)),
            ["refresh token as password"] = () => _gateway.AskAsync(
                "?service=registry.test", Basic("<token>", refresh)),
            ["upload ticket with an access token"] = () => _gateway.RegistryAsync("PATCH", upload, access),
            ["upload ticket with a password"] = () => _gateway.RegistryAsync("PATCH", upload, password),
        };
    }

    private async Task<string> RobotAsync(string name)
    {
        Assert.True(CredentialLimit.TryParse(["team-a/**:pull"], out var limit, out _));
        var issued = Assert.IsType<CredentialOutcome.Issued>(
            await _gateway.Services.GetRequiredService<CredentialService>().CreateAsync(
            new CredentialOrder
            {
                Owner = CredentialOwner.Robot(name),
                Name = "ci",
                Limit = limit,
                CreatedBy = "user:alice",
            }, default));
        return issued.Secret.Reveal();
    }
}
