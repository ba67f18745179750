using Gateway.Core.RateLimiting;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Tests.Support;
using StackExchange.Redis;

namespace Gateway.Tests.Server.Limits.RateLimiting;

/// <summary>
/// The scripts in a real Redis against the arithmetic in Core: the same verdicts, and the same state left behind.
/// </summary>
public sealed class LimitScriptsTests : IAsyncLifetime
{
    private readonly Random _random = new(4711);
    private RedisServer _server = null!;
    private LimitRedis _redis = null!;
    private ConnectionMultiplexer _connection = null!; // a look at what the scripts leave, without the gateway's code
    private IDatabase _database = null!;

    public async Task InitializeAsync()
    {
        _server = await RedisServer.StartAsync();
        _redis = await LimitTesting.ConnectAsync(_server);
        _connection = await ConnectionMultiplexer.ConnectAsync(_server.Options.Server);
        _database = _connection.GetDatabase();
    }

    public async Task DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _redis.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Take_AnyStateAndQuota_DoesWhatTheArithmeticSays()
    {
        for (var round = 0; round < 400; round++)
        {
            var quotas = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => AnyQuota()).ToArray();
            var charges = quotas.Select((quota, i) => Charge($"{round}-{i}", quota)).ToArray();
            var keys = charges.Select(charge => _redis.Key(charge.Key)).ToArray();
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
            for (var i = 0; i < quotas.Length; i++)
            {
                if (_random.Next(4) > 0)
                {
                    // Around the edge where the last permit is, and far on both sides of it.
                    var ahead = _random.Next(3) == 0 ? _random.NextInt64(3 * quotas[i].Tolerance)
                        : quotas[i].Tolerance - quotas[i].Interval + _random.NextInt64(-5_000_000, 5_000_000);
                    await SetAsync(keys[i], $"{Math.Max(0, now + ahead)}");
                }
            }

            var permits = _random.Next(-1, 3);
            var reply = await TakeAsync(charges, permits);

            var wholes = quotas.Select((_, i) => reply.At(i).Whole).ToArray();
            var verdicts = quotas.Select((quota, i) => Gcra.Judge(wholes[i], reply.Now, quota, permits)).ToArray();
            var isAllowed = verdicts.All(static verdict => verdict.IsAllowed);
            for (var i = 0; i < quotas.Length; i++)
            {
                var expected = isAllowed && permits != 0 ? verdicts[i].Whole : wholes[i];
                var left = await GetAsync(keys[i]);
                if (left is null)
                {
                    Assert.True(expected <= reply.Now + 2_000, $"round {round}: lost {expected - reply.Now} µs");
                }
                else
                {
                    Assert.Equal(expected, long.Parse(left, System.Globalization.CultureInfo.InvariantCulture));
                }
            }
        }
    }

    [Fact]
    public async Task Take_AnyLeases_DoesWhatTheArithmeticSays()
    {
        var (granted, settled, refused) = (0, 0, 0);
        for (var round = 0; round < 600; round++)
        {
            var calls = Enumerable.Range(0, _random.Next(1, 4))
                .Select(i => AnyCall(Charge($"{round}-{i}", AnyQuota()), round)).ToArray();
            var before = new LeasedBudget[calls.Length];
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
            for (var i = 0; i < calls.Length; i++)
            {
                before[i] = AnyBudget(calls[i], now);
                await StoreAsync(calls[i].Charge, before[i]);
            }

            var permits = _random.Next(-1, 3);
            var reply = (await _redis.TakeAsync(calls, permits, budget: null, CancellationToken.None))!.Value;

            var settledOnes = calls.Select((call, i) => before[i].Settle(
                reply.Now, call.Charge.Rule.Quota, call.Ended, call.Used)).ToArray();
            var verdicts = calls.Select(
                (call, i) => settledOnes[i].Judge(reply.Now, call.Charge.Rule.Quota, permits)).ToArray();
            var isAllowed = verdicts.All(static verdict => verdict.IsAllowed);
            for (var i = 0; i < calls.Length; i++)
            {
                var batch = isAllowed ? Gcra.Batch(verdicts[i], calls[i].Wanted) : 0;
                Assert.Equal(
                    new BudgetReply.Budget(settledOnes[i].Whole, settledOnes[i].Reserved, batch), reply.At(i));
                var whole = isAllowed && permits != 0 ? verdicts[i].Whole : settledOnes[i].Whole;
                var expected = (settledOnes[i] with { Whole = whole }).Lease(new PermitLease(
                    calls[i].Leased ?? "", batch, reply.Now + (long)PermitLease.Lifetime.TotalMicroseconds));
                var left = await LoadAsync(calls[i].Charge);
                Assert.Equal(expected.Leases.AsEnumerable(), left.Leases.AsEnumerable());
                Assert.True(left.Whole == whole || (left.Whole == 0 && whole <= reply.Now + 2_000),
                    $"round {round}: {left.Whole} instead of {whole}");
                granted += batch > 0 ? 1 : 0;
                settled += expected.Leases.Length < before[i].Leases.Length ? 1 : 0;
                refused += isAllowed ? 0 : 1;
            }
        }

        Assert.True(granted > 50 && settled > 50 && refused > 50, $"{granted}, {settled}, {refused}");
    }

    [Fact]
    public async Task Take_LeaseOfACrashedReplica_IsRememberedUntilItWouldHaveComeBack()
    {
        var quota = new Quota(200, TimeSpan.FromMinutes(10), 200); // one comes back in 3 s
        await _redis.TakeAsync(
            [new BudgetCall(Charge("a", quota), Leased: "crashed.1", Wanted: 10)], 1, null, CancellationToken.None);

        var expires = long.Parse(
            await _server.CommandAsync("PTTL", "gateway:lease:a"), System.Globalization.CultureInfo.InvariantCulture);

        // Others may use the budget up meanwhile, so that it is whole only that long after the lease expires.
        Assert.InRange(expires, 600_000, 600_000 + PermitLease.Lifetime.TotalMilliseconds);
    }

    [Fact]
    public async Task Take_WhatIsLeftBehind_ExpiresWhenItMeansNothingAnyMore()
    {
        var quota = new Quota(10, TimeSpan.FromMinutes(1), 10);
        var reply = await TakeAsync([Charge("a", quota)], 1);

        var expires = long.Parse(
            await _server.CommandAsync("PTTL", "gateway:limit:a"), System.Globalization.CultureInfo.InvariantCulture);

        Assert.Equal(0, reply.At(0).Whole);
        Assert.InRange(expires, 1, 6_000);
    }

    [Fact]
    public async Task Take_ValueThatSomebodyElseWrote_CountsAsNone()
    {
        await SetAsync(_redis.Key("limit:a"), "nonsense");

        var reply = await TakeAsync([Charge("a", new Quota(1, TimeSpan.FromHours(1), 1))], 1);

        Assert.Equal(0, reply.At(0).Whole);
    }

    [Fact]
    public async Task CountAndForgive_AnyCourseOfAttempts_GoesInRedisAsInMemory()
    {
        var here = new FailureCounter(TimeProvider.System);
        var there = new FailureCounter(TimeProvider.System, _redis);
        var rules = new[]
        {
            // Nothing comes back while the test runs, so that both clocks do not matter.
            LimitTesting.Rule(3, 3600, name: "account", classes: RequestClasses.SignInFailure) with
            {
                Per = LimitPartitions.Subject,
            },
            LimitTesting.Rule(8, 36000, name: "address", classes: RequestClasses.SignInFailure) with
            {
                Per = LimitPartitions.Address,
            },
        };
        var counted = new List<(CountedFailure Here, CountedFailure There)>();
        var refused = 0;
        for (var round = 0; round < 1500; round++)
        {
            if (round % 60 == 0)
            {
                await _server.CommandAsync("FLUSHALL");
                here = new FailureCounter(TimeProvider.System);
                counted.Clear();
            }

            if (counted.Count > 0 && _random.Next(3) == 0)
            {
                var over = counted[_random.Next(counted.Count)];
                counted.Remove(over);
                if (_random.Next(3) == 0)
                {
                    await here.ConfirmAsync(over.Here, CancellationToken.None);
                    await there.ConfirmAsync(over.There, CancellationToken.None);
                }
                else
                {
                    var isRight = _random.Next(2) == 0;
                    await here.ForgiveAsync(over.Here, isRight, CancellationToken.None);
                    await there.ForgiveAsync(over.There, isRight, CancellationToken.None);
                }

                continue;
            }

            var attempt = FailureAttempt.Create(
                rules,
                $"user-{_random.Next(3)}",
                System.Net.IPAddress.Parse($"192.0.2.{_random.Next(3)}"),
                $"{round}/{_random.Next(100)}");
            attempt = attempt with { AgainKey = $"again:{_random.Next(12)}" };
            var isOver = _random.Next(8) == 0;
            var expected = await here.CountAsync(attempt, isOver, CancellationToken.None);
            var verdict = await there.CountAsync(attempt, isOver, CancellationToken.None);

            // The two clocks pass the end of a wait of seconds within a moment of each other, not at the same one.
            if (expected.By?.Name != verdict.By?.Name && Math.Max(expected.Wait, verdict.Wait) < 200_000)
            {
                await _server.CommandAsync("FLUSHALL");
                here = new FailureCounter(TimeProvider.System);
                counted.Clear();
                continue;
            }

            Assert.Equal((expected.By?.Name, expected.Counted is null), (verdict.By?.Name, verdict.Counted is null));
            Assert.InRange(verdict.Wait - expected.Wait, -500_000, 500_000);
            refused += verdict.By is null ? 0 : 1;
            if (verdict.Counted is { } counts)
            {
                counted.Add((expected.Counted!, counts));
            }
        }

        Assert.InRange(refused, 50, 1000); // both ways were walked
    }

    private static LimitCharge Charge(string key, Quota quota) =>
        LimitTesting.Charge(LimitTesting.Rule(1, 1) with { Quota = quota }, key);

    private BudgetCall AnyCall(LimitCharge charge, int round)
    {
        var call = new BudgetCall(charge, _random.Next(2) == 0 ? null : "own", _random.Next(12));
        return _random.Next(3) == 0 ? call : call with { Leased = $"new.{round}", Wanted = _random.Next(1, 40) };
    }

    // Nothing used, anything, or about the edge where the last permit is; with leases that have just expired, that last
    // beyond this round, and of before the clock was set back.
    private LeasedBudget AnyBudget(BudgetCall call, long now)
    {
        var quota = call.Charge.Rule.Quota;
        var leases = Enumerable.Range(0, _random.Next(4)).Select(i => new PermitLease(
            i == 0 ? "own" : $"other.{i}",
            _random.Next(1, 10),
            now + _random.Next(5) switch
            {
                0 or 1 => -_random.NextInt64(20_000_000),
                2 => _random.NextInt64(3_600_000_000, 7_200_000_000),
                _ => _random.NextInt64(5_000_000, 10_000_000),
            })).ToArray();
        var reserved = quota.Interval * leases.Sum(
            lease => lease.Expiry > now && lease.Expiry < now + 10_000_000 ? lease.Count : 0);
        return new LeasedBudget(
            _random.Next(4) switch
            {
                0 => 0,
                1 => now + _random.NextInt64(quota.Tolerance + quota.Interval),
                _ => Math.Max(0, now + quota.Tolerance - reserved + _random.NextInt64(-5_000_000, 5_000_000)),
            },
            [.. leases]);
    }

    private async Task StoreAsync(LimitCharge charge, LeasedBudget budget)
    {
        await SetAsync(_redis.Key(charge.Key), $"{budget.Whole}");
        await SetAsync(_redis.Key(LimitKey.LeasesOf(charge.Key)), string.Concat(
            budget.Leases.Select(static lease => $"{lease.Id} {lease.Count} {lease.Expiry} ")));
    }

    private async Task<LeasedBudget> LoadAsync(LimitCharge charge) => LeasedBudget.Parse(
        await GetAsync(_redis.Key(charge.Key)) ?? "",
        await GetAsync(_redis.Key(LimitKey.LeasesOf(charge.Key))) ?? "");

    private async Task<BudgetReply> TakeAsync(LimitCharge[] charges, int permits) =>
        await _redis.TakeAsync(charges, permits, CancellationToken.None)
            ?? throw new InvalidOperationException("Redis did not answer");

    private Task<bool> SetAsync(RedisKey key, string value) => _database.StringSetAsync(key, value);

    private async Task<string?> GetAsync(RedisKey key) => await _database.StringGetAsync(key);

    private Quota AnyQuota() => new(
        _random.Next(1, 1000), TimeSpan.FromSeconds(_random.Next(1, 100_000)), _random.Next(1, 1000));
}
