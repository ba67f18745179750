using System.Globalization;
using System.Net;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Limits.RateLimiting;

/// <summary>Two whole gateways that lease permits of limits in one Redis.</summary>
public sealed class LeasedGatewayTests : IAsyncLifetime
{
    private const int Burst = 5000;
    private const string Manifest = "/v2/team-a/app/manifests/latest";

    private RedisServer _server = null!;
    private RecordingUpstream _upstream = null!;
    private TestGateway[] _gateways = [];

    public async Task InitializeAsync()
    {
        _server = await RedisServer.StartAsync();
        _upstream = await RecordingUpstream.StartAsync();
        _gateways = await Task.WhenAll(StartAsync(), StartAsync());
    }

    public async Task DisposeAsync()
    {
        foreach (var gateway in _gateways)
        {
            await gateway.DisposeAsync();
        }

        await _upstream.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Requests_OfBusyCallers_NeedATenthOfARoundTripToRedisAtMost()
    {
        const int Clients = 8;
        const int Each = 100;
        await PullAsync(0, "alice", 40); // until their passwords are known, and they are known to go on
        await PullAsync(1, "bob", 40);
        var (calls, leased) = (await CallsAsync(), LeasedRequests());

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(
            client => PullAsync(client % 2, client % 2 == 0 ? "alice" : "bob", Each)));

        var requests = Clients * Each;
        var made = await CallsAsync() - calls;
        Assert.True(made <= requests / 10, $"{made} calls for {requests} requests");
        Assert.True(made > 0, "batches are small");
        Assert.InRange(LeasedRequests() - leased, requests * 9 / 10, requests);
    }

    [Fact]
    public async Task Show_PermitsAreLeased_CountsThoseOfOthersAsTaken()
    {
        await PullAsync(0, "alice", 37);
        var unused = Leases(0).Find(Key).Unused;
        Assert.True(unused > 0, "something is leased");

        Assert.Equal(Burst - 37, await LeftAsync(0));
        Assert.Equal(Burst - 37 - unused, await LeftAsync(1));
        using var here = await _gateways[0].SendAsync(HttpMethod.Head, Manifest, "alice");
        using var there = await _gateways[1].SendAsync(HttpMethod.Head, Manifest, "alice");
        Assert.Equal($"{Burst - 37};w=86400", Assert.Single(here.Headers.GetValues("ratelimit-remaining")));
        Assert.Equal($"{Burst - 37 - unused};w=86400", Assert.Single(there.Headers.GetValues("ratelimit-remaining")));
    }

    [Fact]
    public async Task Reset_OfTheGatewayThatLeased_ForgetsItsLeases()
    {
        await PullAsync(0, "alice", 37);

        Assert.NotEmpty((await ResetAsync(0)).Standings);

        Assert.Equal("", await _server.CommandAsync("KEYS", "gateway:lease:pulls*"));
        Assert.Equal("", await _server.CommandAsync("KEYS", "gateway:limit:pulls*"));
        Assert.Null(await LeftAsync(0));
        await PullAsync(0, "alice", 1);
        Assert.Equal(Burst - 1, await LeftAsync(0));
    }

    [Fact]
    public async Task Reset_OfAnotherGateway_LeavesAtMostWhatTheLeaseIsUsedFor()
    {
        await PullAsync(0, "alice", 37);
        var unused = Leases(0).Find(Key).Unused;

        await ResetAsync(1);

        // Were it forgotten, the budget would be there whole, and the lease on top of it.
        var reserved = Burst - await LeftAsync(1);
        Assert.InRange(reserved!.Value, unused, LocalBudget.LargestBatch);
        await _gateways[0].Services.GetRequiredService<SharedLimiter>().StopAsync(CancellationToken.None);
        Assert.Equal(Burst - (reserved - unused), await LeftAsync(1) ?? Burst);
    }

    [Fact]
    public async Task Stop_OfAGateway_GivesBackWhatItLeased()
    {
        await PullAsync(0, "alice", 37);
        Assert.NotEqual("", await _server.CommandAsync("KEYS", "gateway:lease:*"));

        await _gateways[0].DisposeAsync();
        _gateways = [_gateways[1]];

        Assert.Equal("", await _server.CommandAsync("KEYS", "gateway:lease:*"));
        Assert.Equal(Burst - 37, await LeftAsync(0));
    }

    private static string Key => "limit:pulls|user%3Aalice||";

    private Task<TestGateway> StartAsync() => TestGateway.StartAsync(_upstream.Address, change: options =>
    {
        options.Redis = _server.Options;
        options.Limits.Timeout = TimeSpan.FromSeconds(5);
        options.Limits.Rules =
        [
            Rule("pulls", LimitPartition.Subject, Burst),
            Rule("all", LimitPartition.Everyone, 100_000),
        ];
    });

    private static LimitRuleOptions Rule(string name, LimitPartition per, int rate) => new()
    {
        Name = name,
        Classes = [LimitClass.Pull],
        Per = [per],
        Rate = rate,
        Window = TimeSpan.FromDays(1),
    };

    private async Task PullAsync(int gateway, string user, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var answer = await _gateways[gateway].SendAsync(HttpMethod.Get, Manifest, user);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    private LimitLeases Leases(int gateway) => _gateways[gateway].Services.GetRequiredService<LimitLeases>();

    private long LeasedRequests() => _gateways.Select((_, i) => Leases(i).Taken).Sum();

    private async Task<long?> LeftAsync(int gateway) =>
        (await Ledger(gateway).ShowAsync(null, CancellationToken.None)).Standings
            .FirstOrDefault(static one => one is { Limit: "pulls", Of: "user:alice", CountedIn: "redis" })?.Left;

    private Task<LimitReport> ResetAsync(int gateway)
    {
        Assert.True(LimitHolder.TryParse("user:alice", out var alice));
        return Ledger(gateway).ResetAsync(alice, CancellationToken.None);
    }

    private LimitLedger Ledger(int gateway) => _gateways[gateway].Services.GetRequiredService<LimitLedger>();

    private async Task<long> CallsAsync() => (await _server.CommandAsync("INFO", "commandstats")).Split('\n')
        .Where(static line => line.StartsWith("cmdstat_eval", StringComparison.Ordinal))
        .Sum(static line => long.Parse(line.Split('=', ',')[1], CultureInfo.InvariantCulture));
}
