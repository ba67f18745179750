using System.Diagnostics;
using System.Globalization;
using Gateway.Core.RateLimiting;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Limits.RateLimiting;

/// <summary>Permits leased in batches, by replicas that share a real Redis.</summary>
public sealed class LeasedLimiterTests : IAsyncLifetime
{
    private static readonly LimitCharge[] Thousand = [Budget(1000, "thousand")];

    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly List<Replica> _replicas = [];
    private RedisServer _server = null!;

    public async Task InitializeAsync() => _server = await RedisServer.StartAsync();

    public async Task DisposeAsync()
    {
        foreach (var replica in _replicas)
        {
            await replica.Limiter.DisposeAsync();
            await replica.Redis.DisposeAsync();
        }

        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Acquire_ManyAtOnceOnThreeReplicas_GivesExactlyTheBurstWithAFewCalls()
    {
        var replicas = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => StartAsync(TimeProvider.System)));
        var before = await CallsAsync();

        var granted = await Task.WhenAll(Enumerable.Range(0, 48).Select(client => Task.Run(
            () => TakeAsync(replicas[client % 3], Thousand, 18))));
        var calls = await CallsAsync() - before;
        await Task.WhenAll(replicas.Select(static replica => replica.Limiter.StopAsync(CancellationToken.None)));
        var rest = 0;
        while (await IsAcquiredAsync(replicas[0], Thousand))
        {
            rest++;
        }

        Assert.Equal(864, granted.Sum()); // there was enough for all of them
        Assert.Equal(1000, 864 + rest); // nothing was lost, and nothing given twice
        Assert.True(calls < 864 / 8, $"{calls} calls");
    }

    [Fact]
    public async Task Acquire_FarMoreThanThereIsOnThreeReplicas_NeverGivesMoreThanTheRate()
    {
        var quota = new Quota(2000, TimeSpan.FromSeconds(10), 500); // one comes back in 5 ms
        LimitCharge[] charges = [Budget(quota, "fast")];
        var replicas = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => StartAsync(TimeProvider.System)));
        var watch = Stopwatch.StartNew();

        var granted = (await Task.WhenAll(Enumerable.Range(0, 24).Select(client => Task.Run(
            () => TakeAsync(replicas[client % 3], charges, 400))))).Sum();

        var most = quota.Burst + (watch.Elapsed.TotalMicroseconds / quota.Interval);
        Assert.InRange(granted, quota.Burst - (3 * LocalBudget.LargestBatch), most);
        Assert.True(replicas.Sum(static replica => replica.Leases.Taken) > 100, "leases were used");
    }

    [Fact]
    public async Task Acquire_OneReplica_CountsDownByOneAndIsRefusedAtTheEndOnly()
    {
        var replica = await StartAsync();
        for (var left = 999; left >= 0; left--)
        {
            using var lease = (LimitLease)await replica.Limiter.AcquireAsync(Thousand);
            Assert.Equal((true, left), (lease.IsAcquired, lease.Verdict.Remaining));
            using var look = (LimitLease)await replica.Limiter.AcquireAsync(Thousand, 0);
            Assert.Equal((true, left), (look.IsAcquired, look.Verdict.Remaining));
        }

        Assert.False(await IsAcquiredAsync(replica, Thousand));
    }

    /// <summary>What docs/limits.md states.</summary>
    [Fact]
    public async Task Acquire_Refused_NoOtherReplicaHoldsMoreThanOneUnusedBatch()
    {
        var replicas = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => StartAsync()));
        var random = new Random(4711);
        var refusals = 0;
        for (var round = 0; round < 40; round++)
        {
            var quota = new Quota(1, TimeSpan.FromDays(1), random.Next(1, 600));
            LimitCharge[] charges = [Budget(quota, $"round-{round}")];
            var taken = 0;
            for (var ask = 0; ask < 700; ask++)
            {
                var one = random.Next(3);
                if (await IsAcquiredAsync(replicas[one], charges))
                {
                    taken++;
                    continue;
                }

                refusals++;
                var others = replicas.Where((_, other) => other != one)
                    .Select(replica => replica.Leases.Find(charges[0].Key).Unused).ToArray();
                // all that is missing is in one batch of each other, and was a tenth of what was left at most
                Assert.Equal(quota.Burst, taken + others.Sum());
                Assert.All(others, unused => Assert.InRange(
                    unused, 0, Math.Min(LocalBudget.LargestBatch, quota.Burst / Gcra.BatchesThatAreLeft)));
                Assert.Equal(0, replicas[one].Leases.Find(charges[0].Key).Unused);
            }

            var leases = await GetAsync(LimitKey.LeasesOf(charges[0].Key));
            Assert.InRange(LeasedBudget.Parse("", leases).Leases.Length, 0, 3);
        }

        Assert.True(refusals > 1000, $"{refusals} refusals");
    }

    [Fact]
    public async Task Acquire_UpToThreeTimes_LeasesNothing()
    {
        var replica = await StartAsync();

        await TakeAsync(replica, Thousand, 3);

        Assert.Equal("", await GetAsync("lease:thousand"));
        await TakeAsync(replica, Thousand, 1);
        Assert.Equal(10, LeasedBudget.Parse("", await GetAsync("lease:thousand")).Reserved); // a caller who goes on
    }

    [Fact]
    public async Task Acquire_NowAndThen_LeasesNothing()
    {
        var replica = await StartAsync();
        for (var i = 0; i < 10; i++)
        {
            await TakeAsync(replica, Thousand, 1);
            Assert.Equal("", await GetAsync("lease:thousand"));
            _clock.Advance(PermitLease.Use);
        }

        Assert.Equal(0, replica.Leases.Taken);
    }

    [Fact]
    public async Task Acquire_FewerThanTenBatchesLeft_LeasesNothing()
    {
        var replica = await StartAsync();
        LimitCharge[] charges = [Budget(104, "few")];

        await TakeAsync(replica, charges, 4); // a hundred are left
        Assert.Equal(10, LeasedBudget.Parse("", await GetAsync("lease:few")).Reserved);
        await TakeAsync(replica, charges, 11); // ten of the lease, and one that leaves 89
        Assert.Equal("", await GetAsync("lease:few"));
        Assert.Equal(89, await TakeAsync(replica, charges, 100));
        Assert.Equal("", await GetAsync("lease:few"));
        Assert.Equal(10, replica.Leases.Taken);
    }

    [Fact]
    public async Task Acquire_ALeaseOverSeveralBudgets_TakesOfAllOrOfNone()
    {
        var replica = await StartAsync();
        LimitCharge[] both = [Budget(1000, "wide"), Budget(5, "narrow")];

        Assert.Equal(5, await TakeAsync(replica, both, 40));
        Assert.Equal(995, await TakeAsync(replica, [both[0]], 2000)); // the refused ones cost nothing
    }

    [Fact]
    public async Task Acquire_SixteenWhereABatchIsUsedUp_AskOnceAndGoOn()
    {
        var replica = await StartAsync();
        await TakeAsync(replica, Thousand, 200); // batches have grown
        while (replica.Leases.Find(Thousand[0].Key).Unused > 0)
        {
            await TakeAsync(replica, Thousand, 1);
        }

        var before = replica.Redis.Calls;
        await _server.SignalAsync("STOP"); // so that all of them find the batch used up
        var requests = Enumerable.Range(0, 16).Select(_ => TakeAsync(replica, Thousand, 1)).ToArray();
        var calls = replica.Redis.Calls - before;
        await _server.SignalAsync("CONT");

        Assert.Equal(16, (await Task.WhenAll(requests)).Sum());
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task Acquire_TheCallerWhoAsksLeaves_TheOthersGoOn()
    {
        var replica = await StartAsync();
        await TakeAsync(replica, Thousand, 3);
        using var leaving = new CancellationTokenSource();
        await _server.SignalAsync("STOP");
        var first = replica.Limiter.AcquireAsync(Thousand, 1, leaving.Token).AsTask();
        var second = replica.Limiter.AcquireAsync(Thousand).AsTask();
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(second.IsCompleted);
        await _server.SignalAsync("CONT");
        Assert.True((await second).IsAcquired);
        Assert.Equal(1, replica.Leases.Taken);
    }

    [Fact]
    public async Task Acquire_RedisDoesNotAnswer_WhoWaitedIsCountedHereAtOnce()
    {
        var replica = await StartAsync(TimeProvider.System, TimeSpan.FromSeconds(1));
        await TakeAsync(replica, Thousand, 3);
        await _server.SignalAsync("STOP");

        var calls = replica.Redis.Calls;
        Assert.Equal(20, (await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => TakeAsync(replica, Thousand, 1)))).Sum());

        // one asked, the others waited for half of the budget, and then asked or found that Redis is unavailable
        Assert.InRange(replica.Redis.Calls - calls, 1, 20);
        await _server.SignalAsync("CONT");
    }

    [Fact]
    public async Task Acquire_RedisFlushed_SettlesWithoutHarm()
    {
        var replica = await StartAsync();
        await TakeAsync(replica, Thousand, 100);
        await _server.CommandAsync("FLUSHALL");

        var held = replica.Leases.Find(Thousand[0].Key).Unused;
        Assert.Equal(1000 + held, await TakeAsync(replica, Thousand, 1200));
        await replica.Limiter.StopAsync(CancellationToken.None);
        Assert.Equal("", await GetAsync("lease:thousand"));
    }

    [Fact]
    public async Task Settle_NobodyAsksAnyMore_GivesBackWhatIsUnusedWithinSeconds()
    {
        var replica = await StartAsync();
        var other = await StartAsync();
        await TakeAsync(replica, Thousand, 100);
        Assert.NotEqual("", await GetAsync("lease:thousand"));

        await Eventually.TrueAsync(async () =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1)); // the timer's own look, no call of the test
            return await GetAsync("lease:thousand") is "";
        });

        Assert.Equal(900, await TakeAsync(other, Thousand, 1000));
    }

    [Fact]
    public async Task Settle_NothingLeasedAndNobodyAsks_LooksNoMore()
    {
        var clock = new ObservedTimers(_clock);
        var replica = await StartAsync(clock);
        await TakeAsync(replica, Thousand, 50);
        await Eventually.TrueAsync(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return replica.Leases.IsEmpty;
        });

        // what was given back last has arrived, so that each further look happens within the call that moves the clock
        await Eventually.TrueAsync(async () => await GetAsync("lease:thousand") is "");
        _clock.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => !clock.IsSet);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(clock.IsSet);
    }

    [Fact]
    public async Task Stop_Leased_GivesEverythingBack()
    {
        var replica = await StartAsync();
        await TakeAsync(replica, Thousand, 100);

        await replica.Limiter.StopAsync(CancellationToken.None);

        Assert.Equal("", await GetAsync("lease:thousand"));
        Assert.Equal(900, await TakeAsync(await StartAsync(), Thousand, 1000));
        await TakeAsync(replica, Thousand, 5); // a request that came late
        Assert.Equal("", await GetAsync("lease:thousand"));
    }

    [Fact]
    public async Task Crash_OfAReplicaWithALease_CountsItAsUsed()
    {
        var crashed = await StartAsync();
        await TakeAsync(crashed, Thousand, 100);
        var unused = crashed.Leases.Find(Thousand[0].Key).Unused;
        var value = await GetAsync("lease:thousand");
        var expiry = LeasedBudget.Parse("", value).Leases[0].Expiry;
        // the time that it takes to expire is over: nobody waits for it here
        await _server.CommandAsync("SET", "gateway:lease:thousand", value.Replace(
            expiry.ToString(CultureInfo.InvariantCulture),
            (expiry - PermitLease.Lifetime.TotalMicroseconds).ToString("0", CultureInfo.InvariantCulture),
            StringComparison.Ordinal));

        Assert.True(unused > 0, "something was leased");
        Assert.Equal(900 - unused, await TakeAsync(await StartAsync(), Thousand, 1000));
    }

    [Fact]
    public async Task GiveBack_OfALeasedPermit_IsThereAgainWithoutACall()
    {
        var replica = await StartAsync();
        await TakeAsync(replica, Thousand, 5); // three, one that leases, one of the lease
        var calls = replica.Redis.Calls;

        await replica.Limiter.GiveBackAsync(Thousand, CancellationToken.None);
        Assert.Equal(calls, replica.Redis.Calls);
        await replica.Limiter.GiveBackAsync(Thousand, CancellationToken.None); // of the lease nothing is used
        Assert.Equal(calls + 1, replica.Redis.Calls);

        Assert.Equal(997, await TakeAsync(replica, Thousand, 2000));
    }

    [Fact]
    public async Task Acquire_QuotaChanged_GivesTheLeaseBackAndCountsByTheNewOne()
    {
        var replica = await StartAsync();
        await TakeAsync(replica, Thousand, 101);
        var id = replica.Leases.Find(Thousand[0].Key).Id!;
        LimitCharge[] lowered = [Budget(150, "thousand")];

        using var lease = (LimitLease)await replica.Limiter.AcquireAsync(lowered);

        Assert.Equal((true, 48), (lease.IsAcquired, lease.Verdict.Remaining)); // 101 and this one were taken
        Assert.DoesNotContain(id + " ", await GetAsync("lease:thousand"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acquire_MoreBudgetsThanItKnows_CountsTheOthersInRedis()
    {
        var replica = await StartAsync(capacity: 1);
        LimitCharge[] other = [Budget(200, "other")];
        await TakeAsync(replica, Thousand, 20);
        var taken = replica.Leases.Taken;
        Assert.True(taken > 0, "the first one is leased");

        Assert.Equal(200, await TakeAsync(replica, other, 220));
        Assert.Equal(taken, replica.Leases.Taken);
        Assert.Equal(980, await TakeAsync(replica, Thousand, 1000));
    }

    [Fact]
    public async Task Acquire_Leased_AllocatesTheVerdictAndNothingElse()
    {
        const int Times = 30;
        var replica = await StartAsync();
        LimitCharge[] charges = [Budget(1500, "large"), Budget(1600, "larger")];
        await TakeAsync(replica, charges, 200); // batches have grown
        while (replica.Leases.Find(charges[0].Key).Unused is not 0 and < Times)
        {
            await TakeAsync(replica, charges, 1);
        }

        await TakeAsync(replica, charges, 1);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Times; i++)
        {
            Assert.True((await replica.Limiter.AcquireAsync(charges)).IsAcquired); // on this thread: it waits for nothing
        }

        Assert.Equal(64 * Times, GC.GetAllocatedBytesForCurrentThread() - before); // one LimitLease each
    }

    [Fact]
    public async Task Failures_OfSignIns_AreNeverLeased()
    {
        var replica = await StartAsync();
        var failures = new FailureCounter(TimeProvider.System, replica.Redis);
        var rule = LimitTesting.Rule(1000, 3600, name: "f", classes: RequestClasses.SignInFailure);
        var before = replica.Redis.Calls;
        for (var i = 0; i < 50; i++)
        {
            await failures.CountAsync(
                FailureAttempt.Create(
                    [rule with { Per = LimitPartitions.Subject }], "alice", System.Net.IPAddress.Loopback, $"{i}"),
                isOver: true,
                CancellationToken.None);
        }

        Assert.Equal(50, replica.Redis.Calls - before); // each has its own call
        Assert.Equal("", await _server.CommandAsync("KEYS", "gateway:lease:*"));
    }

    private static LimitCharge Budget(int burst, string key) => Budget(new Quota(1, TimeSpan.FromDays(1), burst), key);

    private static LimitCharge Budget(Quota quota, string key) =>
        LimitTesting.Charge(LimitTesting.Rule(1, 1) with { Quota = quota }, key);

    private static async Task<bool> IsAcquiredAsync(Replica replica, LimitCharge[] charges)
    {
        using var lease = await replica.Limiter.AcquireAsync(charges);
        return lease.IsAcquired;
    }

    private static async Task<int> TakeAsync(Replica replica, LimitCharge[] charges, int times)
    {
        var count = 0;
        for (var i = 0; i < times; i++)
        {
            count += await IsAcquiredAsync(replica, charges) ? 1 : 0;
        }

        return count;
    }

    private Task<string> GetAsync(string key) => _server.CommandAsync("GET", "gateway:" + key);

    private async Task<long> CallsAsync()
    {
        var lines = (await _server.CommandAsync("INFO", "commandstats")).Split('\n');
        return lines.Where(static line => line.StartsWith("cmdstat_eval", StringComparison.Ordinal))
            .Sum(static line => long.Parse(line.Split('=', ',')[1], CultureInfo.InvariantCulture));
    }

    private async Task<Replica> StartAsync(TimeProvider? clock = null, TimeSpan? timeout = null, int capacity = 1000)
    {
        var leases = new LimitLeases(clock ?? _clock, capacity);
        var redis = await LimitTesting.ConnectAsync(_server, timeout);
        var limiter = new SharedLimiter(redis, new MemoryLimiter(TimeProvider.System), leases, clock ?? _clock);
        var replica = new Replica(redis, leases, limiter);
        lock (_replicas)
        {
            _replicas.Add(replica);
        }

        return replica;
    }

    private sealed record Replica(LimitRedis Redis, LimitLeases Leases, SharedLimiter Limiter);

    /// <summary>Tells whether the one timer that is made with it is set.</summary>
    private sealed class ObservedTimers(TimeProvider inner) : TimeProvider
    {
        private volatile bool _isSet;

        public bool IsSet => _isSet;

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Timer(this, inner.CreateTimer(
                one =>
                {
                    _isSet = false;
                    callback(one);
                },
                state, dueTime, period));

        private sealed class Timer(ObservedTimers owner, ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                owner._isSet = true;
                return inner.Change(dueTime, period);
            }

            public void Dispose() => inner.Dispose();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
