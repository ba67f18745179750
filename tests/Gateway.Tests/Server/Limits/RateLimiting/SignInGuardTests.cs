using System.Net;
using System.Text;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Keys;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Limits.RateLimiting;

/// <summary>Guessing passwords at a whole gateway, from several addresses (a trusted proxy names them).</summary>
public sealed class SignInGuardTests : IAsyncLifetime
{
    private const string Token = "/token?service=registry.test";
    private const string Attacker = "198.51.100.1";
    private const string Elsewhere = "192.0.2.7";

    private RecordingUpstream _upstream = null!;
    private TestGateway? _gateway;

    public async Task InitializeAsync() => _upstream = await RecordingUpstream.StartAsync();

    public async Task DisposeAsync()
    {
        await (_gateway?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Guesses_ByOneAddress_AreSlowedDownAndSayNothingAboutThePassword()
    {
        await StartAsync(perAccount: 3);
        var statuses = await GuessAsync("alice", 8);

        Assert.Equal([401, 401, 401], statuses.Take(3));
        Assert.Equal(429, statuses[^1]);
        using var answer = await SendAsync("GET", Token, Attacker, "alice", "alice-password");
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode); // though it is the right one
        Assert.InRange(int.Parse(Assert.Single(answer.Headers.GetValues("Retry-After")), null), 1, 60);
        Assert.False(answer.Headers.Contains("WWW-Authenticate"));
        var body = await answer.Content.ReadAsStringAsync();
        Assert.Contains("TOOMANYREQUESTS", body, StringComparison.Ordinal);
        Assert.Contains("The password was not checked", body, StringComparison.Ordinal);
        Assert.Matches("\"retryAfterSeconds\":[0-9]+,\"requestId\":\"[0-9a-f]{16}\"}", body);
    }

    [Fact]
    public async Task RightPassword_FromAnAddressThatGuessedNothing_StillWorks()
    {
        await StartAsync(perAccount: 3);
        await GuessAsync("alice", 8);

        Assert.Equal(200, await StatusAsync("GET", Token, Elsewhere, "alice", "alice-password"));
        Assert.Equal(200, await StatusAsync("GET", Token, Attacker, "bob", "bob-password")); // another account
    }

    [Fact]
    public async Task Guesses_FromManyAddresses_AreCountedForTheAccount()
    {
        await StartAsync(perAccount: 3);
        for (var i = 0; i < 12; i++)
        {
            Assert.Equal(401, await StatusAsync("GET", Token, $"198.51.100.{i}", "alice", $"guess-{i}"));
        }

        // Each address had one guess; a second is not looked at from any of them.
        for (var i = 0; i < 12; i++)
        {
            Assert.Equal(429, await StatusAsync("GET", Token, $"198.51.100.{i}", "alice", $"again-{i}"));
        }
    }

    [Fact]
    public async Task Guesses_ByOneAddressAtManyAccounts_AreCountedForTheAddress()
    {
        await StartAsync(perAddress: 5);
        var statuses = new List<int>();
        for (var i = 0; i < 10; i++)
        {
            statuses.Add(await StatusAsync("GET", Token, Attacker, $"user-{i}", "Winter2026"));
        }

        Assert.Equal([401, 401, 401, 401, 401], statuses.Take(5));
        Assert.Equal(429, statuses[^1]);
        Assert.Equal(200, await StatusAsync("GET", Token, Elsewhere, "alice", "alice-password"));
    }

    [Fact]
    public async Task Guesses_FromOneNetworkOfIPv6_AreOneAddress()
    {
        await StartAsync(perAddress: 3);
        var statuses = new List<int>();
        for (var i = 0; i < 8; i++)
        {
            statuses.Add(await StatusAsync("GET", Token, $"2001:db8:0:1::{i:x}", $"user-{i}", "Winter2026"));
        }

        Assert.Equal(429, statuses[^1]);
        Assert.Equal(401, await StatusAsync("GET", Token, "2001:db8:0:2::1", "user-9", "Winter2026"));
    }

    [Fact]
    public async Task Guesses_OverAllLoginSurfaces_ShareOneBudget()
    {
        await StartAsync(perAccount: 4);
        (string Method, string Target)[] surfaces = [
            ("GET", "/v2/"), ("GET", Token), ("POST", "/token"), ("GET", "/api/v1/tokens"),
        ];
        for (var i = 0; i < 6; i++)
        {
            var (method, target) = surfaces[i % surfaces.Length];
            await StatusAsync(method, target, Attacker, "alice", $"guess-{i}");
        }

        foreach (var (method, target) in surfaces)
        {
            Assert.Equal(429, await StatusAsync(method, target, Attacker, "alice", $"one more at {method} {target}"));
        }
    }

    [Fact]
    public async Task WrongPassword_SentTwiceAtOnce_CountsOnce()
    {
        // containerd, BuildKit and Helm send each wrong password twice.
        await StartAsync(perAccount: 3);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(401, await StatusAsync("POST", "/token", Attacker, "alice", $"guess-{i}"));
            Assert.Equal(401, await StatusAsync("GET", Token, Attacker, "alice", $"guess-{i}"));
        }

        // Three are counted, not six: the next waits a second, not eight.
        using var answer = await SendAsync("GET", Token, Attacker, "alice", "alice-password");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task WrongPassword_SentOverAndOver_IsCountedAllTheSame()
    {
        await StartAsync(perAccount: 3);
        var statuses = new List<int>();
        for (var i = 0; i < 20; i++)
        {
            statuses.Add(await StatusAsync("GET", Token, Attacker, "alice", "the same"));
        }

        Assert.Contains(429, statuses);
    }

    [Fact]
    public async Task NoCredentialsOrAWrongAccessToken_IsNoFailure()
    {
        await StartAsync(perAccount: 1, perAddress: 1);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(401, await StatusAsync("GET", "/v2/", Attacker, null, null));
            using var forged = await _gateway!.SendAsync(
                HttpMethod.Get, "/v2/", null, null, ("X-Forwarded-For", Attacker), ("Authorization", "Bearer a.b.c"));
            Assert.Equal(HttpStatusCode.Unauthorized, forged.StatusCode);
        }

        Assert.Equal(200, await StatusAsync("GET", Token, Attacker, "alice", "alice-password"));
    }

    [Fact]
    public async Task RightPassword_AgainAndAgainAndForManyAtOnce_IsNeverSlowedDown()
    {
        await StartAsync(perAccount: 2, perAddress: 2);
        var statuses = await Task.WhenAll(Enumerable.Range(0, 60).Select(i =>
        {
            var user = new[] { "alice", "bob", "admin" }[i % 3];
            return StatusAsync("GET", Token, Elsewhere, user, user + "-password");
        }));

        Assert.All(statuses, static status => Assert.Equal(200, status));
    }

    [Fact]
    public async Task RightPassword_ManyAtOnceWhileTheAccountIsAttacked_IsNeverRefused()
    {
        await using var redis = await RedisServer.StartAsync();
        await StartAsync(perAccount: 2, redis: redis);
        await using var second = await StartGatewayAsync(perAccount: 2, perAddress: 1000, redis);
        for (var i = 0; i < 12; i++)
        {
            await StatusAsync("GET", Token, $"198.51.100.{i}", "alice", $"guess-{i}");
        }

        Assert.Equal(429, await StatusAsync("GET", Token, "198.51.100.1", "alice", "one more"));

        // As docker opens its connections: all with the same password, before any of them was looked at.
        var statuses = await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            StatusAsync("GET", Token, Elsewhere, "alice", "alice-password", i % 2 == 0 ? _gateway : second)));
        Assert.All(statuses, static status => Assert.Equal(200, status));

        // The neighbour: wrong ones from there are counted and wait.
        var wrong = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => StatusAsync("GET", Token, "192.0.2.8", "alice", $"wrong-{i}")));
        Assert.InRange(wrong.Count(static status => status == 401), 1, 3);
        Assert.Contains(429, wrong);
    }

    [Fact]
    public async Task Guesses_WhileADirectoryThatComesFirstIsAway_AreCountedAllTheSame()
    {
        _gateway = await TestGateway.StartAsync(
            _upstream.Address,
            change: options =>
            {
                options.TrustedProxies = ["127.0.0.1"];
                options.Authentication.Order = ["ldap:away", "htpasswd"];
                options.Limits = new LimitOptions { Rules = [Failures("account", LimitPartition.Subject, 3)] };
            },
            customize: static builder => builder.Services.AddSingleton<ICredentialVerifier, UnavailableDirectory>());

        var known = await GuessAsync("alice", 8);
        Assert.Equal([503, 503, 503], known.Take(3)); // come again: perhaps the directory would have said yes
        Assert.Equal(429, known[^1]);

        // Who is nowhere known but perhaps there is not counted: nobody said that the password is wrong.
        Assert.All(await GuessAsync("carol", 8), static status => Assert.Equal(503, status));
        Assert.Equal(200, await StatusAsync("GET", Token, Elsewhere, "alice", "alice-password"));
    }

    [Fact]
    public async Task Client_ThatHangsUp_HasGuessedAllTheSame()
    {
        await StartAsync(perAccount: 3);
        for (var i = 0; i < 12; i++)
        {
            using var impatience = new CancellationTokenSource();
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{TestGateway.Host}{Token}");
            request.Headers.Add("X-Forwarded-For", Attacker);
            request.Headers.Add(
                "Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:guess-{i}")));
            var sending = _gateway!.Client.SendAsync(request, impatience.Token);
            await Task.Delay(2); // sometimes before, sometimes after it was looked at: both must count
            await impatience.CancelAsync();
            await Task.WhenAny(sending);
        }

        await Eventually.TrueAsync(
            async () => await StatusAsync("GET", Token, Attacker, "alice", "guess-" + Guid.NewGuid()) == 429);
        // nothing is left hanging
        Assert.Equal(200, await StatusAsync("GET", Token, Elsewhere, "alice", "alice-password"));
    }

    [Fact]
    public async Task Tokens_OfThisGateway_AreNeverLockedOut()
    {
        await StartAsync(perAccount: 2, perAddress: 2);
        using var token = await SendAsync("GET", Token, Attacker, "alice", "alice-password");
        using var document = System.Text.Json.JsonDocument.Parse(await token.Content.ReadAsStringAsync());
        var bearer = "Bearer " + document.RootElement.GetProperty("token").GetString();
        await GuessAsync("alice", 8);

        using var answer = await _gateway!.SendAsync(
            HttpMethod.Get, "/v2/", null, null, ("X-Forwarded-For", Attacker), ("Authorization", bearer));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Guesses_AtTwoReplicasAtOnce_AreLookedAtExactlyAsOftenAsAllowed()
    {
        await using var redis = await RedisServer.StartAsync();
        await StartAsync(perAccount: 10, redis: redis);
        await using var second = await StartGatewayAsync(perAccount: 10, perAddress: 1000, redis);

        var statuses = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => StatusAsync(
            "GET", Token, Attacker, "alice", $"guess-{i}", i % 2 == 0 ? _gateway : second)));

        // Those beyond wait a second at first, and may be looked at then: one each time, and less and less often.
        Assert.InRange(statuses.Count(static status => status == 401), 10, 13);
        Assert.Equal(60, statuses.Count(static status => status is 401 or 429));
    }

    [Fact]
    public async Task Guesses_WhileRedisIsGone_AreCountedHereMoreStrictly()
    {
        await using var redis = await RedisServer.StartAsync();
        await StartAsync(perAccount: 8, redis: redis);
        await redis.KillAsync();

        var statuses = await GuessAsync("alice", 12);

        Assert.Equal([401, 401, 401, 401], statuses.Take(4));
        Assert.Contains(429, statuses.Take(8)); // half of eight
        Assert.Equal(200, await StatusAsync("GET", Token, Elsewhere, "alice", "alice-password"));
    }

    [Fact]
    public async Task Unconfigured_Guessing_IsLimitedAllTheSame()
    {
        _gateway = await TestGateway.StartAsync(
            _upstream.Address, change: static options => options.TrustedProxies = ["127.0.0.1"]);

        Assert.Contains(429, await GuessAsync("alice", 15));
    }

    private async Task<List<int>> GuessAsync(string user, int times)
    {
        var statuses = new List<int>();
        for (var i = 0; i < times; i++)
        {
            statuses.Add(await StatusAsync("GET", Token, Attacker, user, $"guess-{Guid.NewGuid()}"));
        }

        return statuses;
    }

    private async Task<int> StatusAsync(
        string method, string target, string address, string? user, string? password, TestGateway? gateway = null)
    {
        using var answer = await SendAsync(method, target, address, user, password, gateway);
        return (int)answer.StatusCode;
    }

    private async Task<HttpResponseMessage> SendAsync(
        string method, string target, string address, string? user, string? password, TestGateway? gateway = null)
    {
        var content = method == "POST"
            ? new FormUrlEncodedContent([
                new("grant_type", "password"), new("service", "registry.test"), new("client_id", "test"),
                new("username", user), new("password", password),
            ])
            : null;
        var header = user is null || content is not null
            ? null
            : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
        return await (gateway ?? _gateway)!.SendAsync(
            new HttpMethod(method),
            target,
            null,
            content,
            header is null
                ? [("X-Forwarded-For", address)]
                : [("X-Forwarded-For", address), ("Authorization", header)]);
    }

    private async Task StartAsync(int perAccount = 1000, int perAddress = 1000, RedisServer? redis = null) =>
        _gateway = await StartGatewayAsync(perAccount, perAddress, redis);

    private Task<TestGateway> StartGatewayAsync(int perAccount, int perAddress, RedisServer? redis) =>
        TestGateway.StartAsync(_upstream.Address, change: options =>
        {
            options.TrustedProxies = ["127.0.0.1"];
            options.Redis = redis?.Options;
            if (redis is not null)
            {
                // Replicas share their keys: without, each would take the other's requests for another password.
                options.Tokens.Keys = new SigningKeyOptions
                {
                    Store = SigningKeyStoreKind.Redis,
                    Password = "key-password",
                };
            }

            options.Limits = new LimitOptions
            {
                Timeout = TimeSpan.FromSeconds(2), // the machine may be busy
                Rules =
                [
                    Failures("account", LimitPartition.Subject, perAccount),
                    Failures("address", LimitPartition.Address, perAddress),
                ],
            };
        });

    private sealed class UnavailableDirectory : ICredentialVerifier
    {
        public string Method => "ldap:away";

        public ValueTask<AuthenticationResult> VerifyAsync(
            BasicCredentials credentials, CancellationToken cancellationToken) =>
            ValueTask.FromResult<AuthenticationResult>(
                new AuthenticationResult.Undecided("the directory does not answer"));
    }

    private static LimitRuleOptions Failures(string name, LimitPartition per, int rate) => new()
    {
        Name = name,
        Classes = [LimitClass.SignInFailure],
        Per = [per],
        Rate = rate,
        Window = TimeSpan.FromHours(10),
    };
}
