namespace Gateway.Core.RateLimiting;

/// <summary>
/// The generic cell rate algorithm (ITU-T I.371, annex A, virtual scheduling), with instants in whole microseconds. The
/// one place where permits are counted: limits in memory and limits in Redis both use it.
/// </summary>
/// <remarks>
/// All that is kept of a caller is the instant at which their budget will be full again (the theoretical arrival
/// time). They are refused while it lies more than <see cref="Quota.Tolerance"/> ahead. A refusal changes nothing, so
/// asking again does not make the wait longer.
/// </remarks>
public static class Gcra
{
    /// <summary>How many batches must be left where permits are leased: the batch itself and nine more.</summary>
    /// <remarks>So what another process holds unused is never more than a tenth of what was left.</remarks>
    public const int BatchesThatAreLeft = 10;

    /// <summary>The smallest batch that is leased: with fewer, more than a tenth of the requests would ask.</summary>
    /// <remarks>So a budget of which fewer than a hundred permits are left is counted to the permit.</remarks>
    public const int SmallestBatch = 10;

    /// <summary>Works out whether permits may be taken.</summary>
    /// <param name="whole">
    /// When the budget is full again, in microseconds; any instant of the past if nothing was taken.
    /// </param>
    /// <param name="now">The clock that <paramref name="whole"/> goes by, in microseconds.</param>
    /// <param name="quota">How much is allowed.</param>
    /// <param name="permits">How many to take; none looks only, and negative numbers give back.</param>
    /// <param name="reserved">How many are leased: they count as taken, and do not come back with time.</param>
    public static GcraVerdict Judge(long whole, long now, Quota quota, int permits, int reserved = 0)
    {
        // Never further ahead than a used up budget is: after a quota was lowered, or a clock set back.
        var before = Math.Clamp(whole, now, now + quota.Tolerance);
        var after = Math.Max(now, before + (permits * quota.Interval));
        var wait = after + (reserved * quota.Interval) - quota.Tolerance - now;
        return wait <= 0 || permits <= 0
            ? new GcraVerdict(true, after, Left(after, now, quota, reserved), 0)
            : new GcraVerdict(false, before, Left(before, now, quota, reserved), wait);
    }

    /// <summary>Counts permits that were taken out of a lease, which has no further part in the budget.</summary>
    /// <param name="whole">As of <see cref="Judge"/>.</param>
    /// <param name="at">
    /// When the last of them may have been taken: later than it was at worst, so that they never come back too early.
    /// </param>
    /// <param name="quota">How much is allowed.</param>
    /// <param name="used">How many.</param>
    public static long Settle(long whole, long at, Quota quota, int used) =>
        used == 0 ? whole : Math.Max(whole, at) + (used * quota.Interval);

    /// <summary>
    /// How many permits may be leased: as many as are wanted, or fewer, so that ten batches are left; or none.
    /// </summary>
    /// <param name="verdict">What was worked out for the request that wants them.</param>
    /// <param name="wanted">How many would be used soon.</param>
    public static int Batch(in GcraVerdict verdict, int wanted)
    {
        var count = Math.Min(wanted, verdict.Remaining / BatchesThatAreLeft);
        return verdict.IsAllowed && count >= SmallestBatch ? count : 0;
    }

    private static int Left(long whole, long now, Quota quota, int reserved) =>
        (int)(Math.Max(0, quota.Tolerance - (whole - now) - (reserved * quota.Interval)) / quota.Interval);
}

/// <summary>What <see cref="Gcra"/> worked out.</summary>
/// <param name="IsAllowed">Whether the permits may be taken.</param>
/// <param name="Whole">When the budget is full again if they are; unchanged where they may not.</param>
/// <param name="Remaining">How many permits are left then.</param>
/// <param name="Wait">Microseconds until they could be taken; 0 where they may be.</param>
public readonly record struct GcraVerdict(bool IsAllowed, long Whole, int Remaining, long Wait);
