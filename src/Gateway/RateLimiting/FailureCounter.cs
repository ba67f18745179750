using Gateway.Core.RateLimiting;
using StackExchange.Redis;

namespace Gateway.RateLimiting;

/// <summary>
/// Counts wrong passwords: before they are looked at, so that no number of attempts at once gets more of them looked at
/// than are allowed, over all replicas where they share a Redis.
/// </summary>
internal sealed class FailureCounter(TimeProvider time, LimitRedis? redis = null)
{
    private const int Capacity = 100_000;

    // Within it clients that send each wrong password twice have done so (containerd, BuildKit, Helm; POST, then GET).
    private static readonly TimeSpan AgainLifetime = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly BudgetTable<FailureBudget> _budgets = new(Capacity);
    private readonly BudgetTable<bool> _marks = new(Capacity); // seen and again

    /// <summary>Counts an attempt as failed, unless it has to wait or was counted a moment ago.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="isOver">Whether it failed already, so that it is counted whatever there is.</param>
    /// <param name="cancellationToken">Ends the waiting for Redis.</param>
    public async ValueTask<FailureVerdict> CountAsync(
        FailureAttempt attempt, bool isOver, CancellationToken cancellationToken)
    {
        if (redis is null)
        {
            return CountHere(attempt, isOver);
        }

        var values = new RedisValue[4 + (4 * attempt.Charges.Count)];
        (values[0], values[1]) = (isOver ? 1 : 0, (long)AgainLifetime.TotalMilliseconds);
        (values[2], values[3]) = (FailureBudget.FirstDelay, FailureBudget.MostBeyond);
        for (var i = 0; i < attempt.Charges.Count; i++)
        {
            var charge = attempt.Charges[i];
            values[(4 * i) + 4] = charge.Rule.Quota.Interval;
            values[(4 * i) + 5] = charge.Rule.Quota.Burst;
            values[(4 * i) + 6] = charge.OnlyWhereSeen ? 1 : 0;
            values[(4 * i) + 7] = (long)charge.Rule.Quota.Window.TotalMilliseconds;
        }

        return await redis.TryEvaluateAsync(LimitScripts.CountFailure, KeysOf(attempt), values, cancellationToken) is { } result
            ? Judge(attempt, (long[])result!, isOver)
            : CountHere(attempt.Halve(), isOver);
    }

    /// <summary>Takes an attempt back that was counted and turned out not to be wrong.</summary>
    public async ValueTask ForgiveAsync(FailureAttempt attempt, CancellationToken cancellationToken)
    {
        if (redis is not null)
        {
            RedisValue[] intervals = [.. attempt.Charges.Select(static charge => (RedisValue)charge.Rule.Quota.Interval)];
            if (await redis.TryEvaluateAsync(
                LimitScripts.ForgiveFailure, KeysOf(attempt), intervals, cancellationToken) is not null)
            {
                return;
            }

            attempt = attempt.Halve();
        }

        ForgiveHere(attempt);
    }

    /// <summary>The budgets that this process counts, with the failures in each.</summary>
    public IReadOnlyList<(string Key, FailureBudget Budget, long Now)> Read()
    {
        lock (_lock)
        {
            var now = time.Microseconds();
            return [.. _budgets.Entries.Where(entry => entry.End > now).Select(entry => (entry.Key, entry.Value, now))];
        }
    }

    /// <summary>Forgets the failures of a budget, and tells whether there were any.</summary>
    public bool Reset(string key)
    {
        lock (_lock)
        {
            return _budgets.Remove(key);
        }
    }

    private static FailureVerdict Judge(FailureAttempt attempt, ReadOnlySpan<long> answer, bool isOver)
    {
        if (answer[1] == 1)
        {
            return FailureVerdict.Again;
        }

        var verdict = default(FailureVerdict);
        for (var i = 0; i < attempt.Charges.Count; i++)
        {
            var state = answer[((3 * i) + 2)..];
            verdict = Longest(
                verdict,
                attempt.Charges[i],
                attempt.Charges[i].Wait(new FailureBudget(state[0], state[1]), state[2] == 1, answer[0]));
        }

        return verdict with { IsCounted = isOver || verdict.By is null };
    }

    private static FailureVerdict Longest(FailureVerdict verdict, FailureCharge charge, long wait) =>
        wait > verdict.Wait ? new FailureVerdict(wait, charge.Rule, false) : verdict;

    private FailureVerdict CountHere(FailureAttempt attempt, bool isOver)
    {
        lock (_lock)
        {
            var now = time.Microseconds();
            if (_marks.Get(attempt.AgainKey, now))
            {
                _marks.Remove(attempt.AgainKey); // a third time is an attempt of its own
                return FailureVerdict.Again;
            }

            var verdict = default(FailureVerdict);
            foreach (var charge in attempt.Charges)
            {
                verdict = Longest(
                    verdict, charge, charge.Wait(_budgets.Get(charge.Key, now), _marks.Get(charge.SeenKey, now), now));
            }

            if (verdict.By is not null && !isOver)
            {
                return verdict;
            }

            foreach (var charge in attempt.Charges)
            {
                var budget = _budgets.Get(charge.Key, now).Add(now, charge.Rule.Quota);
                _budgets.Set(charge.Key, budget, budget.Whole, now);
                if (charge.OnlyWhereSeen)
                {
                    _marks.Set(charge.SeenKey, true, now + (long)charge.Rule.Quota.Window.TotalMicroseconds, now);
                }
            }

            _marks.Set(attempt.AgainKey, true, now + (long)AgainLifetime.TotalMicroseconds, now);
            return verdict with { IsCounted = true };
        }
    }

    private void ForgiveHere(FailureAttempt attempt)
    {
        lock (_lock)
        {
            var now = time.Microseconds();
            _marks.Remove(attempt.AgainKey);
            foreach (var charge in attempt.Charges)
            {
                var budget = _budgets.Get(charge.Key, now).Remove(now, charge.Rule.Quota);
                _budgets.Set(charge.Key, budget, budget.Whole, now);
                _marks.Remove(charge.SeenKey);
            }
        }
    }

    private RedisKey[] KeysOf(FailureAttempt attempt)
    {
        var keys = new RedisKey[1 + (2 * attempt.Charges.Count)];
        keys[0] = redis!.Key(attempt.AgainKey);
        for (var i = 0; i < attempt.Charges.Count; i++)
        {
            keys[(2 * i) + 1] = redis.Key(attempt.Charges[i].Key);
            keys[(2 * i) + 2] = redis.Key(attempt.Charges[i].SeenKey);
        }

        return keys;
    }
}
