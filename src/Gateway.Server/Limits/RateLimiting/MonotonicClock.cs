namespace Gateway.Server.Limits.RateLimiting;

/// <summary>The clock of budgets in memory: microseconds that no change of the time of day moves.</summary>
internal static class MonotonicClock
{
    /// <summary>Microseconds since some instant before the process began.</summary>
    public static long Microseconds(this TimeProvider time) =>
        (long)time.GetElapsedTime(0).TotalMicroseconds;
}
