using System.Threading.RateLimiting;
using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>Budgets in this process: of a single gateway, and of one that has lost sight of Redis.</summary>
internal sealed class MemoryLimiter(TimeProvider time) : RequestLimiter
{
    private const int Capacity = 200_000;

    private readonly Lock _lock = new();
    private readonly BudgetTable<long> _wholes = new(Capacity);

    /// <inheritdoc/>
    public override ValueTask GiveBackAsync(IReadOnlyList<LimitCharge> charges, CancellationToken cancellationToken)
    {
        Take(charges, -1);
        return ValueTask.CompletedTask;
    }

    /// <summary>The budgets of which something is used, with the microseconds until they are full.</summary>
    public IReadOnlyList<(string Key, long Whole)> Read()
    {
        lock (_lock)
        {
            var now = time.Microseconds();
            return [.. _wholes.Entries.Where(entry => entry.End > now).Select(entry => (entry.Key, entry.Value - now))];
        }
    }

    /// <summary>Resets a budget, and tells whether any of it was used.</summary>
    public bool Reset(string key)
    {
        lock (_lock)
        {
            return _wholes.Remove(key);
        }
    }

    /// <inheritdoc/>
    protected override RateLimitLease AttemptAcquireCore(IReadOnlyList<LimitCharge> resource, int permitCount) =>
        Take(resource, permitCount);

    /// <inheritdoc/>
    protected override ValueTask<RateLimitLease> AcquireAsyncCore(
        IReadOnlyList<LimitCharge> resource, int permitCount, CancellationToken cancellationToken) =>
        ValueTask.FromResult<RateLimitLease>(Take(resource, permitCount));

    private LimitLease Take(IReadOnlyList<LimitCharge> charges, int permits)
    {
        var wholes = charges.Count <= 16 ? stackalloc long[charges.Count] : new long[charges.Count];
        lock (_lock)
        {
            var now = time.Microseconds();
            for (var i = 0; i < charges.Count; i++)
            {
                wholes[i] = _wholes.Get(charges[i].Key, now);
            }

            var lease = LimitLease.Judge(charges, wholes, now, permits);
            for (var i = 0; lease.IsAcquired && permits != 0 && i < charges.Count; i++)
            {
                var whole = Gcra.Judge(wholes[i], now, charges[i].Rule.Quota, permits).Whole;
                _wholes.Set(charges[i].Key, whole, whole, now);
            }

            return lease;
        }
    }
}
