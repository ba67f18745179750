using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Core.Tokens;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Store.State;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.Limits.RateLimiting;

/// <summary>Limits at the registry and the token endpoint of a whole gateway, counted in memory.</summary>
public sealed class RateLimitTests : IAsyncLifetime
{
    private const string Manifest = "/v2/team-a/app/manifests/latest";
    private const string PublicManifest = "/v2/public/app/manifests/latest";
    private const string StartUpload = "/v2/team-a/app/blobs/uploads/";

    private RecordingUpstream _upstream = null!;
    private TestGateway? _gateway;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _upstream.Respond = static context =>
        {
            if (context.Request.Method == "POST")
            {
                context.Response.StatusCode = StatusCodes.Status202Accepted;
                context.Response.Headers.Location = context.Request.Path + "u?_state=x";
            }

            if (context.Request.Method == "DELETE")
            {
                context.Response.StatusCode = StatusCodes.Status204NoContent;
            }

            return Task.CompletedTask;
        };
    }

    public async Task DisposeAsync()
    {
        await (_gateway?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Pull_WithinTheLimit_IsToldWhatIsLeft()
    {
        var gateway = await StartAsync(Rule("pulls", LimitClass.Pull, rate: 3));

        using var first = await gateway.SendAsync(HttpMethod.Get, Manifest, "alice");
        using var second = await gateway.SendAsync(HttpMethod.Get, Manifest, "alice");

        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        Assert.Equal("3;w=21600", Header(second, "ratelimit-limit"));
        Assert.Equal("2;w=21600", Header(first, "ratelimit-remaining"));
        Assert.Equal("1;w=21600", Header(second, "ratelimit-remaining"));
        Assert.Equal("user:alice", Header(second, "docker-ratelimit-source"));
    }

    [Fact]
    public async Task Pull_BeyondTheLimit_IsRefusedInWordsThatNobodyTakesForASignInProblem()
    {
        var gateway = await StartAsync(Rule("anonymous-pulls", LimitClass.Pull, rate: 1, to: "anonymous"));
        await SendAsync(gateway, "GET", PublicManifest, null);
        var before = _upstream.Requests.Count;

        using var answer = await gateway.SendAsync(HttpMethod.Get, PublicManifest, TestGateway.Nobody);

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        // six hours: nobody waits that long, so nobody is made to wait
        Assert.Equal("5", Header(answer, "Retry-After"));
        Assert.Equal("1;w=21600", Header(answer, "ratelimit-limit"));
        Assert.Equal("0;w=21600", Header(answer, "ratelimit-remaining"));
        Assert.Equal("127.0.0.1", Header(answer, "docker-ratelimit-source"));
        Assert.False(answer.Headers.Contains("WWW-Authenticate"));
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var error = Assert.Single(body.RootElement.GetProperty("errors").EnumerateArray());
        Assert.Equal("TOOMANYREQUESTS", error.GetProperty("code").GetString());
        Assert.Equal(
            "the rate limit \"anonymous-pulls\" is used up: 1 in 6h; try again in 6h. Your sign-in and your rights "
            + "are not the problem, and signing in again does not help",
            error.GetProperty("message").GetString());
        var id = Header(answer, "X-Request-Id");
        Assert.Equal(
            $"{{\"limit\":\"anonymous-pulls\",\"retryAfterSeconds\":21600,\"requestId\":\"{id}\"}}",
            error.GetProperty("detail").GetRawText());
        Assert.Equal(before, _upstream.Requests.Count); // nothing was forwarded
    }

    [Fact]
    public async Task Pull_OfAnotherCallerOrWithoutALimit_GoesOn()
    {
        var gateway = await StartAsync(Rule("pulls", LimitClass.Pull, rate: 1, to: "user:alice"));
        await SendAsync(gateway, "GET", Manifest, "alice");
        Assert.Equal(429, await SendAsync(gateway, "GET", Manifest, "alice"));

        using var other = await gateway.SendAsync(HttpMethod.Get, Manifest, "bob");

        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.False(other.Headers.Contains("ratelimit-limit")); // absent where nothing is limited, as on Docker Hub
        Assert.Equal(200, await SendAsync(gateway, "GET", "/v2/team-a/app/tags/list", "alice"));
        Assert.Equal(200, await SendAsync(gateway, "GET", "/v2/", "alice"));
    }

    [Fact]
    public async Task Head_OfAManifest_IsFreeAndTellsWhatIsLeft()
    {
        var gateway = await StartAsync(Rule("pulls", LimitClass.Pull, rate: 1));
        for (var i = 0; i < 5; i++)
        {
            using var probe = await gateway.SendAsync(HttpMethod.Head, Manifest, "alice");
            Assert.Equal((HttpStatusCode.OK, "1;w=21600"), (probe.StatusCode, Header(probe, "ratelimit-remaining")));
        }

        Assert.Equal(200, await SendAsync(gateway, "GET", Manifest, "alice"));

        using var after = await gateway.SendAsync(HttpMethod.Head, Manifest, "alice");
        Assert.Equal((HttpStatusCode.OK, "0;w=21600"), (after.StatusCode, Header(after, "ratelimit-remaining")));
        Assert.Equal(429, await SendAsync(gateway, "GET", Manifest, "alice"));
    }

    [Fact]
    public async Task Refusals_InARow_CostNothing()
    {
        // containerd asks five more times at once.
        var gateway = await StartAsync(Rule("pulls", LimitClass.Pull, rate: 1, seconds: 3));
        await SendAsync(gateway, "GET", Manifest, "alice");
        for (var i = 0; i < 20; i++)
        {
            await SendAsync(gateway, "GET", Manifest, "alice");
        }

        // Were they counted, the next would be a minute away.
        await Eventually.TrueAsync(
            async () => await SendAsync(gateway, "GET", Manifest, "alice") == 200, TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Push_AnUploadThatIsCancelled_IsFree()
    {
        var gateway = await StartAsync(Rule("pushes", LimitClass.Push, rate: 2));
        for (var i = 0; i < 6; i++)
        {
            using var start = await gateway.SendAsync(HttpMethod.Post, StartUpload, "alice");
            Assert.Equal(HttpStatusCode.Accepted, start.StatusCode);
            Assert.Equal(204, await SendAsync(gateway, "DELETE", start.Headers.Location!.PathAndQuery, "alice"));
        }

        Assert.Equal(202, await SendAsync(gateway, "POST", StartUpload, "alice"));
        Assert.Equal(202, await SendAsync(gateway, "POST", StartUpload, "alice"));
        Assert.Equal(429, await SendAsync(gateway, "POST", StartUpload, "alice"));
    }

    [Fact]
    public async Task Push_ACancelThatTheUpstreamRefuses_GivesNothingBack()
    {
        var gateway = await StartAsync(Rule("pushes", LimitClass.Push, rate: 1));
        using var start = await gateway.SendAsync(HttpMethod.Post, StartUpload, "alice");
        var upload = start.Headers.Location!.PathAndQuery;
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        };

        Assert.Equal(404, await SendAsync(gateway, "DELETE", upload, "alice"));
        Assert.Equal(429, await SendAsync(gateway, "POST", StartUpload, "alice"));
    }

    [Fact]
    public async Task Push_AnUploadThatHasBegun_IsNeverRefusedMidway()
    {
        var gateway = await StartAsync(Rule("pushes", LimitClass.Push, rate: 1));
        using var start = await gateway.SendAsync(HttpMethod.Post, StartUpload, "alice");
        var upload = start.Headers.Location!.PathAndQuery;
        Assert.Equal(429, await SendAsync(gateway, "POST", StartUpload, "alice"));

        Assert.Equal(200, await SendAsync(gateway, "PATCH", upload, "alice"));
        Assert.Equal(200, await SendAsync(gateway, "GET", upload, "alice"));
        Assert.Equal(200, await SendAsync(
            gateway, "PUT", upload + "&digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "alice"));
    }

    [Fact]
    public async Task Token_BeyondTheLimit_IsRefusedThere()
    {
        var gateway = await StartAsync(Rule("tokens", LimitClass.Token, rate: 1));
        Assert.Equal(200, await SendAsync(gateway, "GET", "/token?service=registry.test", "alice"));

        using var answer = await gateway.SendAsync(HttpMethod.Get, "/token?service=registry.test", "alice");

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal("5", Header(answer, "Retry-After"));
        Assert.Equal(200, await SendAsync(gateway, "GET", "/token?service=registry.test", "bob"));
    }

    [Fact]
    public async Task SeveralLimits_TheTightestAnswers_AndARefusalTakesNothingOfTheOthers()
    {
        var gateway = await StartAsync(
            Rule("all-pulls", LimitClass.Pull, rate: 3, per: LimitPartition.Everyone),
            Rule("each-caller", LimitClass.Pull, rate: 2));
        await SendAsync(gateway, "GET", Manifest, "alice");
        using (var second = await gateway.SendAsync(HttpMethod.Get, Manifest, "alice"))
        {
            Assert.Equal("2;w=21600", Header(second, "ratelimit-limit"));
        }

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(429, await SendAsync(gateway, "GET", Manifest, "alice"));
        }

        using var other = await gateway.SendAsync(HttpMethod.Get, Manifest, "bob");
        Assert.Equal(
            (HttpStatusCode.OK, "3;w=21600", "0;w=21600", "all-pulls"),
            (other.StatusCode, Header(other, "ratelimit-limit"), Header(other, "ratelimit-remaining"),
                Header(other, "docker-ratelimit-source")));
    }

    [Fact]
    public async Task Refused_ByPolicy_CostsNothing()
    {
        var gateway = await StartAsync(Rule("pulls", LimitClass.Pull, rate: 1));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(403, await SendAsync(gateway, "GET", "/v2/secret/app/manifests/latest", "alice"));
        }

        Assert.Equal(200, await SendAsync(gateway, "GET", Manifest, "alice"));
    }

    [Fact]
    public async Task Refused_ForAPageOfAnAllowedOrigin_CanBeReadByIt()
    {
        _gateway = await TestGateway.StartAsync(_upstream.Address, change: options =>
        {
            options.Cors.Origins = ["https://ui.example.com"];
            options.Limits.Rules = [Rule("pulls", LimitClass.Pull, rate: 1)];
        });
        await SendAsync(_gateway, "GET", Manifest, "alice");

        using var answer = await _gateway.SendAsync(
            HttpMethod.Get, Manifest, "alice", null, ("Origin", "https://ui.example.com"));

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal("https://ui.example.com", Header(answer, "Access-Control-Allow-Origin"));
        Assert.Contains(
            "ratelimit-remaining", Header(answer, "Access-Control-Expose-Headers"), StringComparison.OrdinalIgnoreCase);
        Assert.Equal("0;w=21600", Header(answer, "ratelimit-remaining"));
    }

    [Fact]
    public async Task Redis_Hung_NoRequestFails()
    {
        await using var redis = await RedisServer.StartAsync();
        _gateway = await TestGateway.StartAsync(_upstream.Address, change: options =>
        {
            options.Redis = redis.Options;
            options.Limits.Rules = [Rule("pulls", LimitClass.Pull, rate: 1000)];
        });
        await SendAsync(_gateway, "GET", Manifest, "alice");
        await redis.SignalAsync("STOP");

        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(200, await SendAsync(_gateway, "GET", Manifest, "alice"));
        }

        using var ready = await _gateway.SendAsync(HttpMethod.Get, "/readyz");
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode); // degraded, not unready
        Assert.Contains("\"limits\":\"down\"", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await redis.SignalAsync("CONT");
        await Eventually.TrueAsync(async () =>
        {
            using var again = await _gateway.SendAsync(HttpMethod.Get, "/readyz");
            return (await again.Content.ReadAsStringAsync()).Contains("\"limits\":\"ok\"", StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("all slots")]
    [InlineData("no slots")]
    [InlineData("half of the slots")]
    public async Task Redis_NodeOfACluster_NoRequestFailsAndLimitsAreCountedHere(string has)
    {
        await using var redis = await RedisServer.StartAsync("--cluster-enabled", "yes");
        await using var other = await RedisServer.StartAsync("--cluster-enabled", "yes");
        if (has == "all slots")
        {
            await redis.CommandAsync("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
        }
        else if (has == "half of the slots")
        {
            await redis.CommandAsync("CLUSTER", "ADDSLOTSRANGE", "0", "8191");
            await other.CommandAsync("CLUSTER", "ADDSLOTSRANGE", "8192", "16383");
            await redis.CommandAsync("CLUSTER", "MEET", "127.0.0.1", other.Port.ToString(CultureInfo.InvariantCulture));
            await Eventually.TrueAsync(async () =>
                (await redis.CommandAsync("CLUSTER", "INFO")).Contains("cluster_state:ok", StringComparison.Ordinal));
        }

        var log = new ListLogger<LimitRedis>();
        _gateway = await TestGateway.StartAsync(
            _upstream.Address,
            change: options =>
            {
                options.Redis = redis.Options;
                options.State.Store = StateStoreKind.Redis;
                // a gateway ran here before, so it is known that nobody is blocked
                Directory.CreateDirectory(options.State.Folder);
                File.WriteAllText(Path.Combine(options.State.Folder, "blocked.json"), """{"version":1,"blocks":[]}""");
                options.Limits.Rules =
                [
                    Rule("pulls of one", LimitClass.Pull, rate: 5, per: LimitPartition.Subject),
                    Rule("pulls of an address", LimitClass.Pull, rate: 1000, per: LimitPartition.Address),
                ];
            },
            customize: builder => builder.Services.AddSingleton<ILogger<LimitRedis>>(log));

        var answers = new List<int>();
        for (var i = 0; i < 8; i++)
        {
            // a password, guarded by budgets in Redis, too
            answers.Add(await SendAsync(_gateway, "GET", Manifest, "alice"));
        }

        Assert.Equal([200, 200, 200, 200, 200, 429, 429, 429], answers);
        Assert.Equal(200, await SendAsync(_gateway, "GET", "/token?service=registry.test", "alice"));
        // not 401, which clients forget their credentials for; not 500
        Assert.Equal(503, await SendWithTokenAsync(_gateway));
        using var ready = await _gateway.SendAsync(HttpMethod.Get, "/readyz");
        var text = await ready.Content.ReadAsStringAsync();
        Assert.Contains("\"limits\":\"down\"", text, StringComparison.Ordinal);
        Assert.Contains("\"state\":\"down\"", text, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => Task.FromResult(
            log.Lines.ToArray().Any(static line => line.Contains("is a node of a cluster", StringComparison.Ordinal))));
    }

    private static async Task<int> SendWithTokenAsync(TestGateway gateway)
    {
        var secret = CredentialSecret.Create(CredentialSecretKind.Personal).Reveal();
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:{secret}"));
        using var answer = await gateway.SendAsync(
            HttpMethod.Get, "/token?service=registry.test", headers: ("Authorization", basic));
        return (int)answer.StatusCode;
    }

    private static LimitRuleOptions Rule(
        string name, LimitClass one, int rate, string? to = null, int seconds = 6 * 3600, LimitPartition? per = null) =>
            new()
            {
                Name = name,
                Classes = [one],
                To = to is null ? [] : [to],
                Per = per is { } only ? [only] : [],
                Rate = rate,
                Window = TimeSpan.FromSeconds(seconds),
            };

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? Assert.Single(values) : null;

    private static async Task<int> SendAsync(TestGateway gateway, string method, string target, string? user)
    {
        using var answer = await gateway.SendAsync(new HttpMethod(method), target, user ?? TestGateway.Nobody);
        return (int)answer.StatusCode;
    }

    private async Task<TestGateway> StartAsync(params LimitRuleOptions[] rules) =>
        _gateway = await TestGateway.StartAsync(
            _upstream.Address, change: options => options.Limits.Rules = [.. rules]);
}
