using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.RateLimiting;

/// <summary>Three gateway processes that share one Redis, in front of one registry.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class ReplicaLimitTests : IAsyncLifetime
{
    private const string Repository = "team-a/limited";
    private const string Manifest = $"/v2/{Repository}/manifests/1";

    private readonly RedisProcess _redis = new();
    private readonly List<GatewayProcess> _gateways = [];
    private RegistryProcess _registry = null!;

    public async Task InitializeAsync()
    {
        await _redis.StartAsync();
        _registry = await RegistryProcess.StartAsync();
        using var image = TestImage.Create(1024);
        await _registry.PushAsync(image, Repository, "1");
    }

    public async Task DisposeAsync()
    {
        foreach (var gateway in _gateways)
        {
            await gateway.DisposeAsync();
        }

        await _registry.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Pull_FiftyClientsOnThreeProcesses_GetsExactlyAsManyAsAllowed()
    {
        await StartAsync(3, Yaml(burst: 100, timeout: "5s"));

        var statuses = await Task.WhenAll(Enumerable.Range(0, 50).Select(async number =>
        {
            using var client = CreateClient(number % 3);
            var seen = new List<HttpStatusCode>();
            for (var i = 0; i < 8; i++)
            {
                using var answer = await client.GetAsync(Manifest);
                seen.Add(answer.StatusCode);
            }

            return seen;
        }));

        var all = statuses.SelectMany(static seen => seen).ToList();
        Assert.Equal(100, all.Count(static status => status == HttpStatusCode.OK));
        Assert.Equal(300, all.Count(static status => status == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task Redis_KilledStoppedAndStartedUnderLoad_NoRequestFails()
    {
        await StartAsync(1, Yaml(burst: 1_000_000, timeout: "50ms", rate: 1_000_000));
        using var ending = new CancellationTokenSource();
        var load = Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PullUntilAsync(ending.Token)));

        await _redis.KillAsync();
        await LimitsAreAsync("down");
        await _redis.StartAsync();
        await LimitsAreAsync("ok");
        await _redis.SignalAsync("STOP");
        await LimitsAreAsync("down");
        await _redis.SignalAsync("CONT");
        await LimitsAreAsync("ok");
        await ending.CancelAsync();

        var requests = await load;
        Assert.True(requests.Sum() > 100, $"there were {requests.Sum()} requests only");
        Assert.Contains("1201", _gateways[0].Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limits_ShownAndReset_AreThoseOfThePerson()
    {
        await StartAsync(2, Yaml(burst: 2, timeout: "5s"));
        using var client = CreateClient(0);
        await PullAsync(client, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests);
        await GuessAsync(client, 3);

        var shown = (await LimitsAsync(1, "show", "alice")).Succeeded(); // the other process knows it too

        var lines = shown.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["LIMIT", "COUNTS", "OF"], lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(3));
        Assert.Contains(lines, static line => line.StartsWith("pulls ", StringComparison.Ordinal)
            && line.Contains("requests", StringComparison.Ordinal)
            && line.Contains(" user:alice ", StringComparison.Ordinal)
            && line.Contains(" 0/2 ", StringComparison.Ordinal) && line.EndsWith(" redis", StringComparison.Ordinal));
        Assert.Contains(lines, static line => line.StartsWith("failures-per-account ", StringComparison.Ordinal)
            && line.Contains(" 7/10 ", StringComparison.Ordinal));
        Assert.Equal("No limit is used.", (await LimitsAsync(1, "show", "bob")).Succeeded());
        Assert.Contains(
            "failures-per-address", (await LimitsAsync(0, "show", "127.0.0.1")).Succeeded(), StringComparison.Ordinal);
        Assert.Contains(
            "\"standings\"", (await LimitsAsync(0, "show", "alice", "--json")).Succeeded(), StringComparison.Ordinal);

        var reset = (await LimitsAsync(1, "reset", "user:alice")).Succeeded();

        Assert.Contains("pulls of user:alice", reset, StringComparison.Ordinal);
        await PullAsync(client, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Limits_WithoutRedis_AreShownAndResetInTheProcess()
    {
        await StartAsync(1, Rules(burst: 1, timeout: "50ms"));
        using var client = CreateClient(0);
        await PullAsync(client, HttpStatusCode.OK, HttpStatusCode.TooManyRequests);

        Assert.Contains(" memory", (await LimitsAsync(0, "show")).Succeeded(), StringComparison.Ordinal);
        (await LimitsAsync(0, "reset", "alice")).Succeeded();
        (await LimitsAsync(0, "reset", "bob")).FailedWith("bob has not used any limit, so nothing was reset.");
        await PullAsync(client, HttpStatusCode.OK, HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Limits_OfAFileThatChanged_AreInForceWithoutARestart()
    {
        await StartAsync(1, Rules(burst: 1, timeout: "50ms"));
        var file = _gateways[0].ConfigurationFile;
        using var client = CreateClient(0);
        await PullAsync(client, HttpStatusCode.OK, HttpStatusCode.TooManyRequests);
        var before = await File.ReadAllTextAsync(file);

        await File.WriteAllTextAsync(file, before.Replace("burst: 1 ", "burst: 50 ", StringComparison.Ordinal));

        await UntilAsync(async () =>
        {
            using var answer = await client.GetAsync(Manifest);
            return answer.StatusCode == HttpStatusCode.OK
                && Assert.Single(answer.Headers.GetValues("ratelimit-limit")).StartsWith(
                    "50;", StringComparison.Ordinal);
        });

        await File.WriteAllTextAsync(file, before.Replace("burst: 1 ", "burst: many ", StringComparison.Ordinal));

        await UntilAsync(
            () => Task.FromResult(_gateways[0].Log.Contains("limits.rules[0].burst", StringComparison.Ordinal)));
        using var still = await client.GetAsync(Manifest);
        Assert.Equal(HttpStatusCode.OK, still.StatusCode); // the last good ones stay in force
    }

    [Fact]
    public async Task Limits_NobodyListens_SaysWhatToDo()
    {
        await StartAsync(1, Rules(burst: 1, timeout: "50ms"));
        await _gateways[0].TerminateAsync();

        var shown = await LimitsAsync(0, "show");

        Assert.Equal(1, shown.ExitCode);
        Assert.Contains("control.sock does not answer (found \"", shown.Error, StringComparison.Ordinal);
        Assert.Contains("Run this where the gateway runs", shown.Error, StringComparison.Ordinal);
        Assert.Equal(78, (await LimitsAsync(0, "show", "a\tb")).ExitCode);
    }

    private static string Rules(int burst, string timeout, int rate = 1) => $$"""
        limits:
          timeout: {{timeout}}
          rules:
            - { name: pulls, classes: [pull], per: [caller], rate: {{rate}}, window: 24h, burst: {{burst}} }
        """;

    private string Yaml(int burst, string timeout, int rate = 1) =>
        $$"""redis: { server: "{{_redis.Address}}", timeout: 5s }""" + "\n" + Rules(burst, timeout, rate);

    private HttpClient CreateClient(int gateway)
    {
        var client = _gateways[gateway].CreateClient("alice");
        client.DefaultRequestHeaders.Accept.ParseAdd(TestImage.ManifestType);
        return client;
    }

    private static async Task PullAsync(HttpClient client, params HttpStatusCode[] expected)
    {
        foreach (var status in expected)
        {
            using var answer = await client.GetAsync(Manifest);
            Assert.Equal(status, answer.StatusCode);
        }
    }

    private static async Task GuessAsync(HttpClient client, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/token");
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:guess-{i}")));
            using var answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            await Task.Delay(100, limit.Token);
        }
    }

    private Task<CliResult> LimitsAsync(int gateway, params string[] arguments) => GatewayProcess.RunCommandAsync(
        ["limits", .. arguments, "--config", _gateways[gateway].ConfigurationFile]);

    private async Task<int> PullUntilAsync(CancellationToken cancellationToken)
    {
        using var client = CreateClient(0);
        var count = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            using var answer = await client.GetAsync(Manifest, CancellationToken.None);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            count++;
        }

        return count;
    }

    private Task LimitsAreAsync(string state) => UntilAsync(async () =>
    {
        using var client = new HttpClient();
        return (await client.GetStringAsync(new Uri(_gateways[0].Management, "/readyz")))
            .Contains($"\"limits\":\"{state}\"", StringComparison.Ordinal);
    });

    private async Task StartAsync(int count, string yaml)
    {
        for (var i = 0; i < count; i++)
        {
            _gateways.Add(
                await GatewayProcess.StartAsync(new GatewaySettings { Upstream = _registry.Address, MoreYaml = yaml }));
        }
    }
}
