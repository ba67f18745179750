using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>Whether an attempt to sign in may be looked at.</summary>
/// <param name="Wait">Microseconds to wait; 0: now.</param>
/// <param name="By">The limit that makes it wait, or <see langword="null"/>.</param>
/// <param name="Counted">
/// How it counts as failed until it is forgiven; <see langword="null"/> where it does not.
/// </param>
internal readonly record struct FailureVerdict(long Wait, LimitRule? By, CountedFailure? Counted)
{
    /// <summary>The very same attempt was counted a moment ago.</summary>
    public static FailureVerdict Again => default;
}

/// <summary>An attempt as it was counted, so that it can be taken back there and just so.</summary>
/// <param name="Attempt">The attempt, by the rules it was counted with.</param>
/// <param name="IsShared">Whether Redis counts it, or this process alone.</param>
/// <param name="At">When, by the clock of who counts.</param>
/// <param name="LastBefore">The last failure of each budget before it.</param>
internal sealed record CountedFailure(FailureAttempt Attempt, bool IsShared, long At, IReadOnlyList<long> LastBefore);
