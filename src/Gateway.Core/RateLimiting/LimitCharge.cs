namespace Gateway.Core.RateLimiting;

/// <summary>A budget that a request draws on.</summary>
/// <param name="Rule">Whose limit it is.</param>
/// <param name="Key">Names the budget; see <see cref="LimitKey"/>.</param>
/// <param name="Source">
/// Whose budget, for people: <c>user:alice</c>, <c>192.0.2.7</c>; the rule's name where all share it.
/// </param>
public sealed record LimitCharge(LimitRule Rule, string Key, string Source);
