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
    /// <summary>Works out whether permits may be taken.</summary>
    /// <param name="whole">
    /// When the budget is full again, in microseconds; any instant of the past if nothing was taken.
    /// </param>
    /// <param name="now">The clock that <paramref name="whole"/> goes by, in microseconds.</param>
    /// <param name="quota">How much is allowed.</param>
    /// <param name="permits">How many to take; none looks only, and negative numbers give back.</param>
    public static GcraVerdict Judge(long whole, long now, Quota quota, int permits)
    {
        // Never further ahead than a used up budget is: after a quota was lowered, or a clock set back.
        var before = Math.Clamp(whole, now, now + quota.Tolerance);
        var after = Math.Max(now, before + (permits * quota.Interval));
        var wait = after - quota.Tolerance - now;
        return wait <= 0
            ? new GcraVerdict(true, after, Left(after, now, quota), 0)
            : new GcraVerdict(false, before, Left(before, now, quota), wait);
    }

    private static int Left(long whole, long now, Quota quota) =>
        (int)((quota.Tolerance - (whole - now)) / quota.Interval);
}

/// <summary>What <see cref="Gcra"/> worked out.</summary>
/// <param name="IsAllowed">Whether the permits may be taken.</param>
/// <param name="Whole">When the budget is full again if they are; unchanged where they may not.</param>
/// <param name="Remaining">How many permits are left then.</param>
/// <param name="Wait">Microseconds until they could be taken; 0 where they may be.</param>
public readonly record struct GcraVerdict(bool IsAllowed, long Whole, int Remaining, long Wait);
