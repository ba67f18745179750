using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>A budget of failed sign-ins.</summary>
/// <param name="Rule">Whose limit it is.</param>
/// <param name="Key">Names the budget.</param>
/// <param name="SeenKey">
/// Names the fact that the account failed from this address. Only who failed from an address has to wait there for an
/// account's budget: otherwise anybody could lock anybody out. While an attempt is being looked at, its own fingerprint
/// is there, so that the other requests of a client with the same password are not held against it.
/// </param>
/// <param name="OnlyWhereSeen">
/// Whether that goes for this budget: those counted by address concern everybody there.
/// </param>
internal sealed record FailureCharge(LimitRule Rule, string Key, string SeenKey, bool OnlyWhereSeen)
{
    /// <summary>How long it makes one wait, in microseconds; 0 or less where it does not.</summary>
    public long Wait(FailureBudget budget, bool isSeen, long now) =>
        OnlyWhereSeen && !isSeen ? 0 : budget.Wait(now, Rule.Quota);
}
