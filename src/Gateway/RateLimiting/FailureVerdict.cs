using Gateway.Core.RateLimiting;

namespace Gateway.RateLimiting;

/// <summary>Whether an attempt to sign in may be looked at.</summary>
/// <param name="Wait">Microseconds to wait; 0: now.</param>
/// <param name="By">The limit that makes it wait, or <see langword="null"/>.</param>
/// <param name="IsCounted">Whether it counts as failed until it is forgiven.</param>
internal readonly record struct FailureVerdict(long Wait, LimitRule? By, bool IsCounted)
{
    /// <summary>The very same attempt was counted a moment ago.</summary>
    public static FailureVerdict Again => default;
}
