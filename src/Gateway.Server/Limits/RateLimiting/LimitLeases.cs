using System.Globalization;
using System.Security.Cryptography;
using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// The permits that this process leased: at most one batch of each budget. Requests take them without asking Redis.
/// </summary>
/// <remarks>
/// Only budgets that are asked for several times within seconds are in it. Where there are too many, those that come
/// last are counted without leases, as at a single request.
/// </remarks>
/// <param name="time">The clock.</param>
/// <param name="capacity">How many budgets it knows at most.</param>
internal sealed class LimitLeases(TimeProvider time, int capacity = LimitLeases.Capacity)
{
    private const int Capacity = 50_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LocalBudget> _budgets = new(StringComparer.Ordinal);
    private readonly List<LeaseReturn> _unsure = []; // of calls that were not answered
    private readonly string _process = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private long _names;
    private long _taken;
    private bool _isClosed;

    /// <summary>How many requests were judged without asking Redis.</summary>
    public long Taken => Volatile.Read(ref _taken);

    /// <summary>Whether there is nothing to look after.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return _budgets.Count == 0 && _unsure.Count == 0;
            }
        }
    }

    /// <summary>
    /// Takes permits of all budgets where all are leased here; <see langword="null"/>: Redis has to be asked.
    /// </summary>
    public LimitLease? TryTake(IReadOnlyList<LimitCharge> charges, int permits)
    {
        lock (_lock)
        {
            var now = time.Microseconds();
            var tightest = default(TightestBudget);
            for (var i = 0; i < charges.Count; i++)
            {
                var charge = charges[i];
                if (!_budgets.TryGetValue(charge.Key, out var budget) || !budget.Has(charge, permits, now))
                {
                    for (var taken = 0; taken < i; taken++)
                    {
                        _budgets[charges[taken].Key].GiveBack(permits);
                    }

                    return null;
                }

                budget.Take(permits, now);
                tightest.Add(charge, new GcraVerdict(true, 0, budget.Remaining, 0));
            }

            _taken++;
            return tightest.ToLease();
        }
    }

    /// <summary>Prepares a question to Redis, about the budgets of which this process has nothing left.</summary>
    /// <param name="charges">The budgets of a request.</param>
    /// <param name="permits">How many it needs; not negative.</param>
    /// <param name="mayWait">Whether it may wait for a question that is asked already.</param>
    /// <returns>
    /// The question; <see langword="null"/> where another request asks just now for permits of all that is missing.
    /// </returns>
    public (LeaseCall? Call, Task<bool>? Filling) Begin(IReadOnlyList<LimitCharge> charges, int permits, bool mayWait)
    {
        lock (_lock)
        {
            var now = time.Microseconds();
            if (mayWait && FillingOf_NeedsLock(charges, permits, now) is { } filling)
            {
                return (null, filling);
            }

            var call = new LeaseCall(charges, permits, now);
            for (var i = 0; i < charges.Count; i++)
            {
                var charge = charges[i];
                var budget = Find_NeedsLock(charge, mayAdd: permits > 0);
                if (budget is null)
                {
                    call.Ask(i, null, new BudgetCall(charge));
                }
                else if (budget.Has(charge, permits, now))
                {
                    budget.Take(permits, now);
                    call.Hold(i, budget);
                }
                else
                {
                    call.Ask(i, budget, Ask_NeedsLock(budget, charge, call, now));
                }
            }

            return (call, null);
        }
    }

    /// <summary>Takes in what Redis answered, and judges the request.</summary>
    /// <param name="call">The question.</param>
    /// <param name="reply">The answer; without any budgets where nothing was asked.</param>
    /// <param name="owed">Gets the budgets to which Redis is to give back what a refused request held.</param>
    public LimitLease Finish(LeaseCall call, BudgetReply reply, List<LimitCharge> owed)
    {
        LimitLease lease;
        lock (_lock)
        {
            lease = call.Judge(reply);
            for (var i = 0; i < call.Charges.Count; i++)
            {
                var (budget, question) = (call.Budgets[i], call.QuestionOf(i));
                if (question is { Leased: { } id })
                {
                    var (granted, left) = call.GrantOf(i, reply);
                    budget!.Filling = null;
                    if (_isClosed && granted > 0)
                    {
                        _unsure.Add(new LeaseReturn(question.Value.Charge, id, 0, call.Asked));
                    }
                    else
                    {
                        budget.Begin(id, granted, left, call.Asked);
                    }
                }
            }

            if (!lease.IsAcquired)
            {
                Release_NeedsLock(call, owed);
            }
        }

        call.Filled.TrySetResult(true);
        return lease;
    }

    /// <summary>Takes in that Redis did not answer: nobody knows whether it ran.</summary>
    /// <param name="call">The question.</param>
    /// <param name="owed">As of <see cref="Finish"/>.</param>
    public void Abandon(LeaseCall call, List<LimitCharge> owed)
    {
        lock (_lock)
        {
            for (var i = 0; i < call.Charges.Count; i++)
            {
                if (call.QuestionOf(i) is not { } question)
                {
                    continue;
                }

                if (question.Ended is { } ended)
                {
                    _unsure.Add(new LeaseReturn(question.Charge, ended, question.Used, call.Asked));
                }

                if (question.Leased is { } leased)
                {
                    _unsure.Add(new LeaseReturn(question.Charge, leased, 0, call.Asked));
                    call.Budgets[i]!.Filling = null;
                }
            }

            Release_NeedsLock(call, owed);
        }

        call.Filled.TrySetResult(false);
    }

    /// <summary>Gives a permit back to each lease that it was taken from.</summary>
    /// <returns>The budgets where it was not, or not any more.</returns>
    public List<LimitCharge> GiveBack(IReadOnlyList<LimitCharge> charges)
    {
        var others = new List<LimitCharge>();
        lock (_lock)
        {
            var now = time.Microseconds();
            foreach (var charge in charges)
            {
                if (_budgets.TryGetValue(charge.Key, out var budget) && budget.Used > 0 && budget.Has(charge, 0, now))
                {
                    budget.GiveBack(1);
                }
                else
                {
                    others.Add(charge);
                }
            }
        }

        return others;
    }

    /// <summary>Ends leases whose time is over, forgets who does not ask any more, tells what to settle.</summary>
    /// <param name="isClosing">Whether all leases end, and none begins again.</param>
    public List<LeaseReturn> Collect(bool isClosing = false)
    {
        lock (_lock)
        {
            var now = time.Microseconds();
            _isClosed |= isClosing;
            var over = new List<LeaseReturn>(_unsure);
            _unsure.Clear();
            over.RemoveAll(one => now - one.Asked >= (long)PermitLease.Lifetime.TotalMicroseconds);
            foreach (var (key, budget) in _budgets)
            {
                if (budget.IsOver(now) || (isClosing && budget.Id is not null))
                {
                    over.Add(new LeaseReturn(budget.Charge, budget.Id!, budget.Used, now));
                    budget.End(now);
                }

                if (budget.IsIdle(now))
                {
                    _budgets.Remove(key);
                }
            }

            return over;
        }
    }

    /// <summary>Keeps what could not be settled for the next time.</summary>
    public void Keep(IEnumerable<LeaseReturn> unsettled)
    {
        lock (_lock)
        {
            _unsure.AddRange(unsettled);
        }
    }

    /// <summary>The lease of a budget, and how many of its permits are not taken; of none: nothing.</summary>
    public (string? Id, int Unused) Find(string key)
    {
        lock (_lock)
        {
            return _budgets.TryGetValue(key, out var budget) ? (budget.Id, budget.Unused) : default;
        }
    }

    /// <summary>Forgets the leases of budgets that are reset.</summary>
    /// <returns>Their names, by the budget's key.</returns>
    public Dictionary<string, string> Forget(Func<string, bool> isReset)
    {
        lock (_lock)
        {
            var forgotten = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (key, budget) in _budgets)
            {
                if (budget.Id is { } id && isReset(key))
                {
                    forgotten.Add(key, id);
                    budget.Drop();
                }
            }

            return forgotten;
        }
    }

    private LocalBudget? Find_NeedsLock(LimitCharge charge, bool mayAdd)
    {
        if (!_budgets.TryGetValue(charge.Key, out var budget) && mayAdd && _budgets.Count < capacity && !_isClosed)
        {
            _budgets.Add(charge.Key, budget = new LocalBudget { Charge = charge });
        }

        return budget;
    }

    // The call that leases what a request lacks; none where it lacks something that nobody leases just now.
    private Task<bool>? FillingOf_NeedsLock(IReadOnlyList<LimitCharge> charges, int permits, long now)
    {
        Task<bool>? filling = null;
        foreach (var charge in charges)
        {
            if (!_budgets.TryGetValue(charge.Key, out var budget))
            {
                return null;
            }

            if (!budget.Has(charge, permits, now))
            {
                if (budget.IsScarce || budget.Filling is not { } one)
                {
                    return null;
                }

                filling = one;
            }
        }

        return filling;
    }

    private BudgetCall Ask_NeedsLock(LocalBudget budget, LimitCharge charge, LeaseCall call, long now)
    {
        if (budget.Filling is not null)
        {
            return new BudgetCall(charge); // the other call ends and leases
        }

        var (ended, used) = (budget.Id, budget.Used);
        if (ended is not null)
        {
            budget.End(now);
        }

        budget.Charge = charge;
        var wanted = _isClosed || call.Permits == 0 ? 0 : budget.Ask(now); // who only looks needs none
        if (wanted == 0)
        {
            return new BudgetCall(charge, ended, used);
        }

        budget.Filling = call.Filled.Task;
        var name = string.Create(CultureInfo.InvariantCulture, $"{_process}.{++_names}");
        return new BudgetCall(charge, ended, used, name, wanted);
    }

    // What a refused request held goes back: into the lease, or to Redis where that has ended meanwhile and counts it.
    private static void Release_NeedsLock(LeaseCall call, List<LimitCharge> owed)
    {
        for (var i = 0; i < call.Charges.Count && call.Permits > 0; i++)
        {
            if (call.HeldOf(i) is { } id)
            {
                if (call.Budgets[i]!.Id == id)
                {
                    call.Budgets[i]!.GiveBack(call.Permits);
                }
                else
                {
                    owed.Add(call.Charges[i]);
                }
            }
        }
    }
}
