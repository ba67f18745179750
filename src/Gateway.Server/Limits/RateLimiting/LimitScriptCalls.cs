using Gateway.Core.RateLimiting;
using StackExchange.Redis;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// Runs the scripts of <see cref="LimitScripts"/>. Only here and in the replies' own types is it known at which
/// position a script expects or answers what.
/// </summary>
/// <remarks>
/// Each returns <see langword="null"/> where Redis does not answer, and it is unknown whether the script ran.
/// </remarks>
internal static class LimitScriptCalls
{
    /// <summary>Takes permits of all budgets or of none; negative permits are given back.</summary>
    public static ValueTask<BudgetReply?> TakeAsync(
        this LimitRedis redis, IReadOnlyList<LimitCharge> charges, int permits, CancellationToken cancellationToken)
    {
        var calls = new BudgetCall[charges.Count];
        for (var i = 0; i < calls.Length; i++)
        {
            calls[i] = new BudgetCall(charges[i]);
        }

        return redis.TakeAsync(calls, permits, budget: null, cancellationToken);
    }

    /// <summary>
    /// Takes permits of all budgets or of none, gives leases back in any case, and leases permits where it took some.
    /// </summary>
    public static ValueTask<BudgetReply?> TakeAsync(
        this LimitRedis redis,
        ReadOnlySpan<BudgetCall> budgets,
        int permits,
        TimeSpan? budget,
        CancellationToken cancellationToken)
    {
        var keys = new RedisKey[2 * budgets.Length];
        var values = new Arguments(2 + (6 * budgets.Length));
        values.Add(permits);
        values.Add((long)PermitLease.Lifetime.TotalMicroseconds);
        for (var i = 0; i < budgets.Length; i++)
        {
            var one = budgets[i];
            keys[2 * i] = redis.Key(one.Charge.Key);
            keys[(2 * i) + 1] = redis.Key(LimitKey.LeasesOf(one.Charge.Key));
            values.Add(one.Charge.Rule.Quota.Interval);
            values.Add(one.Charge.Rule.Quota.Burst);
            values.Add(one.Ended);
            values.Add(one.Used);
            values.Add(one.Leased);
            values.Add(one.Wanted);
        }

        return redis.TryEvaluateAsync(
            LimitScripts.Take, keys, values.All, BudgetReply.Parse, cancellationToken, budget);
    }

    /// <summary>Counts an attempt as failed, unless it has to wait or was counted a moment ago.</summary>
    public static ValueTask<FailureReply?> CountFailureAsync(
        this LimitRedis redis, FailureAttempt attempt, bool isOver, CancellationToken cancellationToken)
    {
        var values = new Arguments(4 + (4 * attempt.Charges.Count));
        values.Add(isOver);
        values.Add(FailureAttempt.AgainLifetime);
        values.Add(FailureBudget.FirstDelay);
        values.Add(FailureBudget.MostBeyond);
        foreach (var charge in attempt.Charges)
        {
            values.Add(charge.Rule.Quota.Interval);
            values.Add(charge.Rule.Quota.Burst);
            values.Add(charge.OnlyWhereSeen);
            values.Add(charge.Rule.Quota.Window);
        }

        return redis.TryEvaluateAsync(
            LimitScripts.CountFailure, KeysOf(redis, attempt), values.All, FailureReply.Parse, cancellationToken);
    }

    /// <summary>Notes that a counted attempt was wrong indeed.</summary>
    public static async ValueTask ConfirmFailureAsync(
        this LimitRedis redis, FailureAttempt attempt, CancellationToken cancellationToken)
    {
        var values = new Arguments(attempt.Charges.Count);
        foreach (var charge in attempt.Charges)
        {
            values.Add(charge.OnlyWhereSeen ? charge.Rule.Quota.Window : TimeSpan.Zero);
        }

        await redis.TryEvaluateAsync(
            LimitScripts.ConfirmFailure, KeysOf(redis, attempt), values.All, IsDone, cancellationToken);
    }

    /// <summary>Takes a counted attempt back.</summary>
    public static async ValueTask ForgiveFailureAsync(
        this LimitRedis redis, CountedFailure counted, bool isRight, CancellationToken cancellationToken)
    {
        var attempt = counted.Attempt;
        var values = new Arguments(2 + (2 * attempt.Charges.Count));
        values.Add(counted.At);
        values.Add(isRight);
        for (var i = 0; i < attempt.Charges.Count; i++)
        {
            values.Add(attempt.Charges[i].Rule.Quota.Interval);
            values.Add(counted.LastBefore[i]);
        }

        await redis.TryEvaluateAsync(
            LimitScripts.ForgiveFailure, KeysOf(redis, attempt), values.All, IsDone, cancellationToken);
    }

    // The attempt's own, then of each budget its own and the one that says that the account failed from here.
    private static RedisKey[] KeysOf(LimitRedis redis, FailureAttempt attempt)
    {
        var keys = new RedisKey[1 + (2 * attempt.Charges.Count)];
        keys[0] = redis.Key(attempt.AgainKey);
        for (var i = 0; i < attempt.Charges.Count; i++)
        {
            keys[(2 * i) + 1] = redis.Key(attempt.Charges[i].Key);
            keys[(2 * i) + 2] = redis.Key(attempt.Charges[i].SeenKey);
        }

        return keys;
    }

    private static bool? IsDone(long[] numbers) => numbers is [1];

    /// <summary>A script's arguments, in the order in which it reads them.</summary>
    private struct Arguments(int count)
    {
        private int _next;

        public RedisValue[] All { get; } = new RedisValue[count];

        public void Add(long number) => All[_next++] = number;

        public void Add(bool isSo) => Add(isSo ? 1 : 0);

        /// <summary>A name that has no minus sign; <see langword="null"/>: none.</summary>
        public void Add(string? name) => All[_next++] = name ?? "-";

        /// <summary>In milliseconds.</summary>
        public void Add(TimeSpan time) => Add((long)time.TotalMilliseconds);
    }
}
