using System.Net;
using System.Text.Json.Nodes;
using Gateway.Backup;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Host.Configuration;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Tests.Server.SignIn.Oidc;
using Gateway.Tests.Support;

namespace Gateway.Tests.Backup;

/// <summary>A gateway is backed up while it runs and issues tokens, and another one goes on from the backup.</summary>
public sealed class BackupRoundTripTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Restored_EveryKindOfToken_WorksAsBefore_AndRevokedOnesDoNot(bool isRedis)
    {
        await using var redis = await RedisServer.StartAsync("--appendfsync", "always");
        await using var otherRedis = await RedisServer.StartAsync("--appendfsync", "always");
        using var before = new BackupFolder(isRedis
            ? $$"""
                redis: { server: "{{redis.Options.Server}}", keyPrefix: "gw:" }
                tokens: { refreshTokens: true, keys: { store: redis, passwordFile: secrets/keys } }
                """
            : "tokens: { refreshTokens: true }", isRedis ? "state, store: redis" : "state");
        await using var stage = await OidcStage.StartAsync(
            options => Apply(options, before.Folder, isRedis ? redis : null));

        // A person in the browser, with a session and a personal token.
        var browser = stage.NewBrowser();
        await stage.SignInAsync(browser);
        var personal = await OidcStage.MakeTokenAsync(browser);
        var access = await AccessTokenAsync(stage, stage.Gateway, "alice", personal);

        // A robot, all of whose tokens are revoked, and one of a person's.
        var robot = await AddAsync(stage, CredentialSecretKind.Robot, CredentialOwner("ci"));
        var robotsAccess = await AccessTokenAsync(stage, stage.Gateway, "ci", robot.Secret);
        await stage.Store.RevokeAllAsync(CredentialOwner("ci"), stage.Clock.GetUtcNow(), CancellationToken.None);
        var robotThere = await AddAsync(stage, CredentialSecretKind.Robot, CredentialOwner("deploy"));
        var revoked = await AddAsync(stage, CredentialSecretKind.Personal, Person("alice", "oidc:corp"));
        await stage.Store.RevokeAsync(revoked.Id, stage.Clock.GetUtcNow(), CancellationToken.None);
        var (refresh, revokedRefresh) = (await RefreshTokenAsync(stage), await RefreshTokenAsync(stage));
        await stage.Store.RevokeAsync(
            (await stage.Store.FindAsync(SecretHash.Of(revokedRefresh), CancellationToken.None))!.Id,
            stage.Clock.GetUtcNow(), CancellationToken.None);

        // It issues tokens all the time.
        var (first, _) = await AddAsync(stage, CredentialSecretKind.Robot, CredentialOwner("builder"));
        using var stop = new CancellationTokenSource();
        var issuing = IssueAsync(stage, stop.Token);
        var (code, output, error) = await before.BackupAsync("--passphrase-file", before.Passphrase());
        Assert.True(code == 0, error);
        Assert.Contains("encrypted", output, StringComparison.Ordinal);
        await stop.CancelAsync();
        await issuing;
        var later = await AddAsync(stage, CredentialSecretKind.Robot, CredentialOwner("later"));

        await RestoreAsync(before, isRedis ? otherRedis : null);
        var after = await stage.AddGatewayAsync(options => Apply(options, before.Target, isRedis ? otherRedis : null));

        async Task<HttpStatusCode> PullAsync(string token) =>
            (await after.RegistryAsync("GET", "/v2/team-a/app/manifests/v1", "Bearer " + token)).Status;
        async Task<HttpStatusCode> LogInAsync(string user, string secret) =>
            (await stage.LogInAsync(user, secret, after)).StatusCode;

        // it reads keys and revocations
        await Eventually.TrueAsync(async () => await PullAsync(access) == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Unauthorized, await PullAsync(robotsAccess));
        Assert.Equal(HttpStatusCode.OK, await LogInAsync("alice", personal));
        Assert.Equal(HttpStatusCode.OK, await LogInAsync("deploy", robotThere.Secret));
        Assert.Equal(HttpStatusCode.OK, await LogInAsync("builder", first)); // issued before the backup began
        Assert.Equal(HttpStatusCode.Unauthorized, await LogInAsync("ci", robot.Secret));
        Assert.Equal(HttpStatusCode.Unauthorized, await LogInAsync("alice", revoked.Secret));
        Assert.Equal(HttpStatusCode.Unauthorized, await LogInAsync("later", later.Secret));
        Assert.Equal(HttpStatusCode.OK, await ExchangeAsync(after, refresh));
        Assert.NotEqual(HttpStatusCode.OK, await ExchangeAsync(after, revokedRefresh));

        // The session goes on, forms and the provider's refresh token included.
        var there = stage.NewBrowser(after);
        foreach (var (name, value) in browser.Cookies)
        {
            there.Cookies[name] = value;
        }

        Assert.Equal(HttpStatusCode.OK, (await there.GetAsync("/account")).StatusCode);
        Assert.NotEqual(personal, await OidcStage.MakeTokenAsync(there));
        stage.Clock.Advance(TimeSpan.FromMinutes(16));
        stage.More = new JsonObject { ["nonce"] = null };
        await Eventually.TrueAsync(async () => await LogInAsync("alice", personal) == HttpStatusCode.OK
            && stage.Asked[^1]["refresh_token"] == "provider-refresh-token-1"); // decrypted with the restored keys

        // A gateway without the backup knows none of it.
        var nothing = await stage.AddGatewayAsync();
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await nothing.RegistryAsync("GET", "/v2/team-a/app/manifests/v1", "Bearer " + access)).Status);
        var stranger = stage.NewBrowser(nothing);
        foreach (var (name, value) in browser.Cookies)
        {
            stranger.Cookies[name] = value;
        }

        Assert.NotEqual(HttpStatusCode.OK, (await stranger.GetAsync("/account")).StatusCode);
    }

    private static void Apply(GatewayOptions options, string folder, RedisServer? redis)
    {
        options.State.Folder = Path.Combine(folder, "state");
        options.Authentication.Htpasswd = new HtpasswdOptions
        {
            File = Path.Combine(folder, "users.htpasswd"),
            MinimumCost = 4,
        };
        options.Audit.Enabled = false;
        if (redis is not null)
        {
            options.State.Store = StateStoreKind.Redis;
            options.Redis = redis.Options;
            options.Redis.KeyPrefix = "gw:";
            options.Tokens.Keys.Store = SigningKeyStoreKind.Redis;
            options.Tokens.Keys.Password = File.ReadAllText(Path.Combine(folder, "secrets", "keys"));
        }
    }

    private static async Task RestoreAsync(BackupFolder backup, RedisServer? redis)
    {
        var environment = new Dictionary<string, string>();
        if (redis is not null)
        {
            environment["GATEWAY__Redis__Server"] = redis.Options.Server;
        }

        var job = new RestoreJob(
            new RestoreOrder
            {
                Archive = backup.Archive,
                Target = backup.Target,
                Passphrase = "correct horse battery staple",
            },
            TimeProvider.System,
            environment,
            static _ => { });
        await job.RunAsync(CancellationToken.None);
    }

    private static Subject CredentialOwner(string robot) =>
        Gateway.Server.Tokens.Credentials.CredentialOwner.Robot(robot);

    private static Subject Person(string name, string method) =>
        new() { Kind = SubjectKind.User, Name = name, Method = method };

    private static async Task<(string Secret, string Id)> AddAsync(
        OidcStage stage, CredentialSecretKind kind, Subject owner)
    {
        var secret = CredentialSecret.Create(kind).Reveal();
        Assert.True(CredentialLimit.TryParse(["team-a/**:pull"], out var limit, out _));
        var credential = BackupFolder.NewToken(secret) with
        {
            Kind = kind == CredentialSecretKind.Robot ? CredentialKind.Robot : CredentialKind.Personal,
            Owner = owner,
            Limit = limit,
        };
        await stage.Store.AddAsync(credential, CancellationToken.None);
        return (secret, credential.Id);
    }

    private static async Task IssueAsync(OidcStage stage, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await AddAsync(stage, CredentialSecretKind.Robot, CredentialOwner("builder"));
        }
    }

    private static async Task<string> AccessTokenAsync(OidcStage stage, TestGateway gateway, string user, string secret)
    {
        var answer = await stage.LogInAsync(user, secret, gateway);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!.GetValue<string>();
    }

    private static async Task<string> RefreshTokenAsync(OidcStage stage)
    {
        var reply = await stage.Gateway.PostAsync(
            ("grant_type", "password"), ("service", TestGateway.Host), ("client_id", "docker"),
            ("access_type", "offline"),
            ("username", "bob"), ("password", "bob-password"));
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        return reply.Text("refresh_token")!;
    }

    private static async Task<HttpStatusCode> ExchangeAsync(TestGateway gateway, string refresh) =>
        (await gateway.PostAsync(
        ("grant_type", "refresh_token"), ("service", TestGateway.Host), ("client_id", "docker"),
        ("refresh_token", refresh))).Status;
}
