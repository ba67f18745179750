using System.Diagnostics;
using Gateway.Core.RateLimiting;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Limits.RateLimiting;

/// <summary>Limits in a real Redis, that goes and comes back.</summary>
public sealed class SharedLimiterTests : IAsyncLifetime
{
    private static readonly LimitCharge[] Hundred = [LimitTesting.Charge(LimitTesting.Rule(100, 24 * 3600), "hundred")];

    private RedisServer _server = null!;

    // or a kill on a busy disk loses the last second
    public async Task InitializeAsync() => _server = await RedisServer.StartAsync("--appendfsync", "always");

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Acquire_FiftyAtOnceOnThreeReplicas_GivesExactlyTheBurst()
    {
        var replicas = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => LimitTesting.ConnectAsync(_server)));
        var limiters = replicas.Select(
            static redis => new SharedLimiter(redis, new MemoryLimiter(TimeProvider.System))).ToArray();

        var granted = await Task.WhenAll(Enumerable.Range(0, 50).Select(async client =>
        {
            var count = 0;
            for (var i = 0; i < 10; i++)
            {
                using var lease = await limiters[client % 3].AcquireAsync(Hundred);
                count += lease.IsAcquired ? 1 : 0;
            }

            return count;
        }));

        Assert.Equal(100, granted.Sum());
        foreach (var replica in replicas)
        {
            await replica.DisposeAsync();
        }
    }

    [Fact]
    public async Task Acquire_RedisKilled_GoesOnHereAtOnceAndThereAgainByItself()
    {
        await using var redis = await LimitTesting.ConnectAsync(_server);
        var limiter = new SharedLimiter(redis, new MemoryLimiter(TimeProvider.System));
        await TakeAsync(limiter, 60);
        await _server.KillAsync();

        Assert.Equal(100, await TakeAsync(limiter, 150)); // the same limit, counted here anew
        Assert.False(redis.IsUp);

        await _server.StartAgainAsync();
        await Eventually.TrueAsync(() => redis.IsUp);
        Assert.Equal(40, await TakeAsync(limiter, 60)); // what Redis had counted before (it keeps it on disk)
    }

    [Fact]
    public async Task Acquire_RedisHangs_WaitsTheBudgetAFewTimesAndThenNotAtAll()
    {
        await using var redis = await LimitTesting.ConnectAsync(_server, TimeSpan.FromSeconds(2));
        var limiter = new SharedLimiter(redis, new MemoryLimiter(TimeProvider.System));
        await TakeAsync(limiter, 1);
        await _server.SignalAsync("STOP");
        var watch = Stopwatch.StartNew();

        // on a busy machine the one before may be counted here too
        Assert.InRange(await TakeAsync(limiter, 1000), 99, 100);

        // Three waits of 50 ms, not a thousand; the machine may be busy.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"a thousand requests took {watch.Elapsed}");
        Assert.False(redis.IsUp);
        await _server.SignalAsync("CONT");
        await Eventually.TrueAsync(() => redis.IsUp);
    }

    [Fact]
    public async Task Start_WithoutRedis_CountsHereUntilItComes()
    {
        await _server.KillAsync();
        await using var redis = await LimitTesting.ConnectAsync(_server, TimeSpan.FromSeconds(2));
        var limiter = new SharedLimiter(redis, new MemoryLimiter(TimeProvider.System));

        Assert.False(redis.IsUp);
        Assert.Equal(100, await TakeAsync(limiter, 150));

        await _server.StartAgainAsync();
        await Eventually.TrueAsync(() => redis.IsUp);
        Assert.Equal(100, await TakeAsync(limiter, 150));
    }

    [Theory]
    [InlineData("replica")] // "READONLY"
    [InlineData("full")] // "OOM"
    public async Task Acquire_RedisRefusesToWrite_GoesOnHere(string fault)
    {
        await using var redis = await LimitTesting.ConnectAsync(_server);
        var limiter = new SharedLimiter(redis, new MemoryLimiter(TimeProvider.System));
        await (fault == "full"
            ? _server.CommandAsync("CONFIG", "SET", "maxmemory", "1")
            : _server.CommandAsync("REPLICAOF", "127.0.0.1", "1"));

        Assert.Equal(100, await TakeAsync(limiter, 150));
    }

    [Fact]
    public async Task Acquire_RedisWithPasswordDatabaseAndPrefix_KeepsBudgetsThere()
    {
        await using var server = await RedisServer.StartAsync("--requirepass", "the-redis-password");
        var options = server.Options;
        (options.Password, options.Database, options.KeyPrefix) = ("the-redis-password", 3, "other:");
        await using var redis = await LimitTesting.ConnectAsync(options);
        var limiter = new SharedLimiter(redis, new MemoryLimiter(TimeProvider.System));

        Assert.Equal(3, await TakeAsync(limiter, 3));

        Assert.Equal(
            "other:limit:hundred",
            await server.CommandAsync("-a", "the-redis-password", "--no-auth-warning", "-n", "3", "KEYS", "*"));
    }

    [Fact]
    public async Task Memory_ManyBudgets_AllExpire()
    {
        await using var redis = await LimitTesting.ConnectAsync(_server);
        var limiter = new SharedLimiter(redis, new MemoryLimiter(TimeProvider.System));
        var failures = new FailureCounter(TimeProvider.System, redis);
        var rule = LimitTesting.Rule(10, 60, name: "f", classes: RequestClasses.SignInFailure);
        for (var i = 0; i < 50; i++)
        {
            await limiter.AcquireAsync([LimitTesting.Charge(LimitTesting.Rule(10, 60), $"address-{i}")]);
            await failures.CountAsync(
                FailureAttempt.Create(
                    [rule with { Per = LimitPartitions.Subject }], $"user-{i}", System.Net.IPAddress.Loopback, $"{i}"),
                isOver: false,
                CancellationToken.None);
        }

        var info = await _server.CommandAsync("INFO", "keyspace");

        Assert.Contains("keys=200,expires=200,", info, StringComparison.Ordinal);
    }

    private static async Task<int> TakeAsync(SharedLimiter limiter, int times)
    {
        var count = 0;
        for (var i = 0; i < times; i++)
        {
            using var lease = await limiter.AcquireAsync(Hundred);
            count += lease.IsAcquired ? 1 : 0;
        }

        return count;
    }
}
