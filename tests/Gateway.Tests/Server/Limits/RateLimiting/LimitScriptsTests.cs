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

    public async Task InitializeAsync()
    {
        _server = await RedisServer.StartAsync();
        _redis = await LimitTesting.ConnectAsync(_server);
    }

    public async Task DisposeAsync()
    {
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

            var wholes = reply.Wholes.ToArray();
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
    public async Task Take_WhatIsLeftBehind_ExpiresWhenItMeansNothingAnyMore()
    {
        var quota = new Quota(10, TimeSpan.FromMinutes(1), 10);
        var reply = await TakeAsync([Charge("a", quota)], 1);

        var expires = long.Parse(
            await _server.CommandAsync("PTTL", "gateway:limit:a"), System.Globalization.CultureInfo.InvariantCulture);

        long[] wholes = [.. reply.Wholes.Span];
        Assert.Equal([0], wholes);
        Assert.InRange(expires, 1, 6_000);
    }

    [Fact]
    public async Task Take_ValueThatSomebodyElseWrote_CountsAsNone()
    {
        await SetAsync(_redis.Key("limit:a"), "nonsense");

        var reply = await TakeAsync([Charge("a", new Quota(1, TimeSpan.FromHours(1), 1))], 1);

        long[] wholes = [.. reply.Wholes.Span];
        Assert.Equal([0], wholes);
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

    private async Task<BudgetReply> TakeAsync(LimitCharge[] charges, int permits) =>
        await _redis.TakeAsync(charges, permits, CancellationToken.None)
            ?? throw new InvalidOperationException("Redis did not answer");

    private Task<string> SetAsync(RedisKey key, string value) => _server.CommandAsync("SET", key.ToString(), value);

    private async Task<string?> GetAsync(RedisKey key) =>
        await _server.CommandAsync("GET", key.ToString()) is { Length: > 0 } value ? value : null;

    private Quota AnyQuota() => new(
        _random.Next(1, 1000), TimeSpan.FromSeconds(_random.Next(1, 100_000)), _random.Next(1, 1000));
}
