using System.Diagnostics;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.State;
using Gateway.Tests.Server.Limits.RateLimiting;
using Gateway.Tests.Server.Store.State;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Requests.Redis;

/// <summary>A primary dies, and the Sentinels make its replica the next one; all of them are real.</summary>
public sealed class RedisSentinelTests
{
    [Fact]
    public async Task FailOver_PrimaryKilled_NothingAnsweredIsLostAndWhatIsRevokedIsRefusedWithinASecond()
    {
        await using var servers = await RedisSentinels.StartAsync();
        await using var one = await Replica.StartAsync(servers.Options);
        await using var two = await Replica.StartAsync(servers.Options);
        await using var limits = await LimitTesting.ConnectAsync(servers.Options, TimeSpan.FromMilliseconds(200));
        Assert.True(limits.IsUp);
        await Task.WhenAll(
            Enumerable.Range(0, 100).Select(i => one.Store.AddAsync(TestCredential.New($"c{i}"), default)));
        await RevokeAsync("c0", one, two);
        await servers.ReplicatedAsync();
        var epoch = one.Redis.Epoch;

        await servers.Primary.KillAsync();
        var started = Stopwatch.GetTimestamp();
        await Assert.ThrowsAnyAsync<StateException>(() => one.Store.AddAsync(TestCredential.New("lost"), default));
        // no wait for the fail-over
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(2));
        await Eventually.TrueAsync(() => TriesAsync(() => one.Store.AddAsync(TestCredential.New("after"), default)));
        await Eventually.TrueAsync(() => one.Feed.IsCurrent && two.Feed.IsCurrent && limits.IsUp);

        Assert.NotEqual(epoch, one.Redis.Epoch); // so whatever was remembered of the old primary is asked anew
        var found = (await two.Store.ListAsync(null, default)).ToDictionary(static credential => credential.Id);
        Assert.All(Enumerable.Range(0, 100), i => Assert.Contains($"c{i}", found.Keys));
        Assert.NotNull(found["c0"].RevokedAt);
        Assert.True(one.Feed.IsRevoked("c0"));
        await RevokeAsync("c1", one, two);
        await RevokeAsync("c2", two, one);

        // The old primary comes back, and takes itself for the primary until a Sentinel tells it otherwise.
        await servers.Primary.StartAgainAsync();
        var number = 3;
        await Eventually.TrueAsync(async () =>
        {
            if (number < 90 && await TriesAsync(() => one.Store.RevokeAsync($"c{number}", TestCredential.Now, default)))
            {
                await RefusedAsync($"c{number++}", two);
            }

            return (await servers.Primary.CommandAsync(
                "-a", RedisSentinels.Password, "--no-auth-warning", "INFO", "replication"))
                .Contains("master_link_status:up", StringComparison.Ordinal);
        });
        Assert.True(number > 3);
        var rest = (await two.Store.ListAsync(null, default)).ToDictionary(static credential => credential.Id);
        Assert.All(Enumerable.Range(0, number), i => Assert.NotNull(rest[$"c{i}"].RevokedAt));
        Assert.Contains("after", rest.Keys);
    }

    [Fact]
    public async Task Connect_WhatTheSentinelsRefuse_IsSaidAndNoPasswordIs()
    {
        await using var servers = await RedisSentinels.StartAsync();
        var (wrongSentinel, wrongServer, unknown, oneIsDown) =
            (servers.Options, servers.Options, servers.Options, servers.Options);
        wrongSentinel.Sentinel!.Password = "canary-1";
        wrongServer.Password = "canary-2";
        unknown.Sentinel!.Service = "other";
        oneIsDown.Sentinel!.Servers.Insert(0, RedisServer.Prepare().Options.Server);

        Assert.Equal(
            $"Redis at {wrongSentinel.Place} refuses the password. See redis.sentinel.password.",
            await FailAsync(wrongSentinel));
        Assert.Equal(
            $"Redis at {wrongServer.Place} refuses the password. See redis.password.", await FailAsync(wrongServer));
        Assert.Equal(
            $"Redis at {unknown.Place} cannot be found: the Sentinels know no service \"other\". See "
                + "redis.sentinel.service.", await FailAsync(unknown));
        await using var redis = Connect(oneIsDown);
        await redis.EvaluateAsync("return 1", [redis.Key("a")], [], default, TimeSpan.FromSeconds(10));
    }

    private static RedisConnection Connect(RedisOptions options) =>
        new(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);

    private static async Task<string> FailAsync(RedisOptions options)
    {
        await using var redis = Connect(options);
        return (await Assert.ThrowsAnyAsync<StateException>(
            () => redis.EvaluateAsync("return 1", [redis.Key("a")], [], default, TimeSpan.FromSeconds(10)))).Message;
    }

    private static async Task<bool> TriesAsync(Func<Task> action)
    {
        try
        {
            await action();
            return true;
        }
        catch (StateException)
        {
            return false;
        }
    }

    private static async Task RevokeAsync(string id, Replica by, Replica other)
    {
        Assert.True(await by.Store.RevokeAsync(id, TestCredential.Now, default));
        await RefusedAsync(id, by);
        await RefusedAsync(id, other);
    }

    // A second later it is known, or the replica says of itself that it does not know enough and answers 503: on the
    // busiest machine.
    private static async Task RefusedAsync(string id, Replica replica)
    {
        var started = Stopwatch.GetTimestamp();
        await Eventually.TrueAsync(() =>
        {
            var elapsed = Stopwatch.GetElapsedTime(started);
            var isCurrent = replica.Feed.IsCurrent;
            var isRevoked = replica.Feed.IsRevoked(id);
            Assert.True(
                isRevoked || !isCurrent || elapsed < TimeSpan.FromSeconds(1), $"{id} is not refused after {elapsed}");
            return isRevoked;
        });
    }

    /// <summary>What a replica of the gateway does with the store of tokens.</summary>
    private sealed class Replica(RedisConnection redis, RedisCredentialStore store, RevocationFeed feed)
        : IAsyncDisposable
    {
        public RedisConnection Redis => redis;

        public RedisCredentialStore Store => store;

        public RevocationFeed Feed => feed;

        public static async Task<Replica> StartAsync(RedisOptions options)
        {
            var redis = Connect(options);
            var store = new RedisCredentialStore(
                redis, options, TimeProvider.System, NullLogger<RedisCredentialStore>.Instance);
            await store.ListenAsync();
            var feed = new RevocationFeed(store, TimeProvider.System, NullLogger<RevocationFeed>.Instance);
            await feed.StartAsync(CancellationToken.None);
            await Eventually.TrueAsync(() => feed.IsCurrent);
            return new Replica(redis, store, feed);
        }

        public async ValueTask DisposeAsync()
        {
            await feed.StopAsync(CancellationToken.None);
            feed.Dispose();
            await redis.DisposeAsync();
        }
    }
}
