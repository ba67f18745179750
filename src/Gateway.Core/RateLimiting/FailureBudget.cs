namespace Gateway.Core.RateLimiting;

/// <summary>
/// Counts failed sign-ins: as many as <see cref="Quota.Burst"/> cost no wait, each further one doubles it, from a
/// second up to the time in which one attempt comes back.
/// </summary>
/// <remarks>
/// Counted as in <see cref="Gcra"/>, so that failures are forgotten evenly. Instants in whole microseconds.
/// </remarks>
/// <param name="Whole">When all failures are forgotten.</param>
/// <param name="Last">The last failure.</param>
public readonly record struct FailureBudget(long Whole, long Last)
{
    /// <summary>The first waiting, in microseconds.</summary>
    public const long FirstDelay = 1_000_000;

    /// <summary>How far beyond the burst failures are remembered: 2^16 seconds are more than half a day.</summary>
    public const int MostBeyond = 16;

    /// <summary>Microseconds until the next attempt may be looked at; 0 or less: now.</summary>
    public long Wait(long now, Quota quota)
    {
        var beyond = Count(now, quota) - quota.Burst;
        return beyond < 0
            ? 0
            : Math.Min(Last, now) + Math.Min(quota.Interval, FirstDelay << (int)Math.Min(beyond, MostBeyond)) - now;
    }

    /// <summary>The budget with one more failure.</summary>
    public FailureBudget Add(long now, Quota quota) => new(
        Math.Min(Math.Max(Whole, now) + quota.Interval, now + ((quota.Burst + MostBeyond) * quota.Interval)),
        now);

    /// <summary>The budget without a failure that was none after all.</summary>
    /// <param name="now">The time.</param>
    /// <param name="quota">What is allowed.</param>
    /// <param name="at">When that failure was added.</param>
    /// <param name="lastBefore">
    /// The last failure before it, which is the last one again unless another came since.
    /// </param>
    public FailureBudget Remove(long now, Quota quota, long at, long lastBefore) => new(
        Math.Max(now, Whole - quota.Interval), Last == at ? lastBefore : Last);

    /// <summary>How many failures are remembered.</summary>
    public long Count(long now, Quota quota) => Whole <= now ? 0 : (Whole - now + quota.Interval - 1) / quota.Interval;
}
