namespace Gateway.Core.RateLimiting;

/// <summary>How much is allowed: a rate that comes back evenly, and how much of it may be used at once.</summary>
public readonly record struct Quota
{
    /// <summary>The greatest rate and the greatest burst.</summary>
    public const int Most = 1_000_000;

    /// <summary>The longest window.</summary>
    public static readonly TimeSpan LongestWindow = TimeSpan.FromDays(31);

    /// <summary>The longest time that a used-up burst may take to refill.</summary>
    /// <remarks>
    /// It keeps every instant that is worked out below 2^53 microseconds, where Lua's numbers are exact.
    /// </remarks>
    public static readonly TimeSpan LongestRefill = TimeSpan.FromDays(3660);

    /// <summary>Puts a quota together.</summary>
    /// <param name="rate">Permits that come back in each window.</param>
    /// <param name="window">The window.</param>
    /// <param name="burst">Permits that may be used at once.</param>
    /// <exception cref="ArgumentOutOfRangeException">See the limits above.</exception>
    public Quota(int rate, TimeSpan window, int burst)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rate, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rate, Most);
        ArgumentOutOfRangeException.ThrowIfLessThan(burst, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(burst, Most);
        ArgumentOutOfRangeException.ThrowIfLessThan(window, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(window, LongestWindow);
        (Rate, Window, Burst) = (rate, window, burst);
        Interval = IntervalOf(rate, window);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Tolerance, (long)LongestRefill.TotalMicroseconds, nameof(burst));
    }

    /// <summary>Permits that come back in each <see cref="Window"/>.</summary>
    public int Rate { get; }

    /// <summary>The window.</summary>
    public TimeSpan Window { get; }

    /// <summary>Permits that may be used at once.</summary>
    public int Burst { get; }

    /// <summary>
    /// Microseconds in which one permit comes back. Rounded up: fractions too little must never add up to a permit too
    /// many.
    /// </summary>
    public long Interval { get; }

    /// <summary>Microseconds in which a used-up burst refills.</summary>
    public long Tolerance => Interval * Burst;

    /// <summary>Whether a burst comes back within <see cref="LongestRefill"/>.</summary>
    public static bool ComesBack(int rate, TimeSpan window, int burst) =>
        (double)IntervalOf(rate, window) * burst <= LongestRefill.TotalMicroseconds;

    /// <summary>
    /// A stricter one, for a node that has lost sight of the others: half the burst at half the rate.
    /// </summary>
    public Quota Halve()
    {
        var (rate, window) = Rate > 1
            ? (Rate / 2, Window)
            : (1, Window * 2 < LongestWindow ? Window * 2 : LongestWindow);
        // An odd rate loses more than half, so that even half the burst may come back too late.
        var longest = (long)LongestRefill.TotalMicroseconds / IntervalOf(rate, window);
        return new Quota(rate, window, (int)Math.Clamp(Burst / 2, 1, Math.Max(1, longest)));
    }

    private static long IntervalOf(int rate, TimeSpan window) => (long)Math.Ceiling(window.TotalMicroseconds / rate);
}
