using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// Counts wrong passwords: before they are looked at, so that no number of attempts at once gets more of them looked at
/// than are allowed, over all replicas where they share a Redis.
/// </summary>
internal sealed class FailureCounter(TimeProvider time, LimitRedis? redis = null)
{
    private const int Capacity = 100_000;

    private readonly Lock _lock = new();
    private readonly BudgetTable<FailureBudget> _budgets = new(Capacity);
    private readonly BudgetTable<bool> _again = new(Capacity);
    private readonly BudgetTable<SeenMark> _seen = new(Capacity);

    /// <summary>Counts an attempt as failed, unless it has to wait or was counted a moment ago.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="isOver">Whether it failed already, and nothing is to be taken back.</param>
    /// <param name="cancellationToken">Ends the waiting for Redis.</param>
    public async ValueTask<FailureVerdict> CountAsync(
        FailureAttempt attempt, bool isOver, CancellationToken cancellationToken)
    {
        if (redis is null)
        {
            return CountHere(attempt, isOver);
        }

        return await redis.CountFailureAsync(attempt, isOver, cancellationToken) is { } reply
            ? Judge(attempt, reply)
            : CountHere(attempt.Halve(), isOver);
    }

    /// <summary>Says that a counted attempt was wrong indeed: from now on the account waits at that address.</summary>
    public async ValueTask ConfirmAsync(CountedFailure counted, CancellationToken cancellationToken)
    {
        var attempt = counted.Attempt;
        if (!counted.IsShared)
        {
            lock (_lock)
            {
                MarkSeen_NeedsLock(attempt, time.Microseconds());
            }
        }
        else if (attempt.Charges.Any(static charge => charge.OnlyWhereSeen))
        {
            await redis!.ConfirmFailureAsync(attempt, cancellationToken);
        }
    }

    /// <summary>Takes an attempt back that was counted and turned out not to be wrong.</summary>
    /// <param name="counted">The attempt, as it was counted.</param>
    /// <param name="isRight">Whether the password was right; otherwise nobody could tell.</param>
    /// <param name="cancellationToken">Ends the waiting for Redis.</param>
    public async ValueTask ForgiveAsync(CountedFailure counted, bool isRight, CancellationToken cancellationToken)
    {
        if (!counted.IsShared)
        {
            ForgiveHere(counted, isRight);
            return;
        }

        await redis!.ForgiveFailureAsync(counted, isRight, cancellationToken);
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

    private static FailureVerdict Judge(FailureAttempt attempt, FailureReply reply)
    {
        if (reply.IsAgain)
        {
            return FailureVerdict.Again;
        }

        var verdict = default(FailureVerdict);
        var last = new long[attempt.Charges.Count];
        for (var i = 0; i < last.Length; i++)
        {
            var (charge, state) = (attempt.Charges[i], reply.Budgets[i]);
            last[i] = state.Budget.Last;
            verdict = Longest(verdict, charge, charge.Wait(state.Budget, state.IsSeen, reply.Now));
        }

        return verdict.By is null
            ? verdict with { Counted = new CountedFailure(attempt, true, reply.Now, last) }
            : verdict;
    }

    private static FailureVerdict Longest(FailureVerdict verdict, FailureCharge charge, long wait) =>
        wait > verdict.Wait ? new FailureVerdict(wait, charge.Rule, null) : verdict;

    private FailureVerdict CountHere(FailureAttempt attempt, bool isOver)
    {
        lock (_lock)
        {
            var now = time.Microseconds();
            if (_again.Get(attempt.AgainKey, now))
            {
                _again.Remove(attempt.AgainKey); // a third time is an attempt of its own
                return FailureVerdict.Again;
            }

            var verdict = default(FailureVerdict);
            foreach (var charge in attempt.Charges)
            {
                var isSeen = _seen.Get(charge.SeenKey, now).Concerns(attempt.AgainKey);
                verdict = Longest(verdict, charge, charge.Wait(_budgets.Get(charge.Key, now), isSeen, now));
            }

            if (verdict.By is not null)
            {
                return verdict; // also where it has failed already: nobody's penalty grows by what comes during it
            }

            var last = new long[attempt.Charges.Count];
            for (var i = 0; i < last.Length; i++)
            {
                var charge = attempt.Charges[i];
                var before = _budgets.Get(charge.Key, now);
                var budget = before.Add(now, charge.Rule.Quota);
                last[i] = before.Last;
                _budgets.Set(charge.Key, budget, budget.Whole, now);
                if (charge.OnlyWhereSeen)
                {
                    var isOther = isOver || _seen.Get(charge.SeenKey, now).Concerns(attempt.AgainKey);
                    var mark = isOther ? SeenMark.Failed : new SeenMark(attempt.AgainKey);
                    _seen.Set(charge.SeenKey, mark, now + (long)charge.Rule.Quota.Window.TotalMicroseconds, now);
                }
            }

            _again.Set(attempt.AgainKey, true, now + (long)FailureAttempt.AgainLifetime.TotalMicroseconds, now);
            return verdict with { Counted = new CountedFailure(attempt, false, now, last) };
        }
    }

    private void MarkSeen_NeedsLock(FailureAttempt attempt, long now)
    {
        foreach (var charge in attempt.Charges)
        {
            if (charge.OnlyWhereSeen)
            {
                _seen.Set(charge.SeenKey, SeenMark.Failed, now + (long)charge.Rule.Quota.Window.TotalMicroseconds, now);
            }
        }
    }

    private void ForgiveHere(CountedFailure counted, bool isRight)
    {
        lock (_lock)
        {
            var now = time.Microseconds();
            var attempt = counted.Attempt;
            _again.Remove(attempt.AgainKey);
            for (var i = 0; i < attempt.Charges.Count; i++)
            {
                var charge = attempt.Charges[i];
                var budget = _budgets.Get(charge.Key, now).Remove(
                    now, charge.Rule.Quota, counted.At, counted.LastBefore[i]);
                _budgets.Set(charge.Key, budget, budget.Whole, now);
                if (isRight || _seen.Get(charge.SeenKey, now).By == attempt.AgainKey)
                {
                    _seen.Remove(charge.SeenKey);
                }
            }
        }
    }

    /// <summary>That an account failed from an address, or is just being looked at.</summary>
    /// <param name="By">The attempt that is being looked at; <see cref="Failed"/>'s where one has failed.</param>
    private readonly record struct SeenMark(string? By)
    {
        public static readonly SeenMark Failed = new("1");

        /// <summary>Whether it is held against an attempt: not against the one that is being looked at.</summary>
        public bool Concerns(string attempt) => By is not null && By != attempt;
    }
}
