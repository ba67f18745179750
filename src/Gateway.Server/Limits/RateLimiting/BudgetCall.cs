using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>What <see cref="LimitScripts.Take"/> is to do with one budget, besides taking permits.</summary>
/// <param name="Charge">The budget.</param>
/// <param name="Ended">The lease that is given back; <see langword="null"/>: none.</param>
/// <param name="Used">How many of its permits were taken.</param>
/// <param name="Leased">The name of a new lease; <see langword="null"/>: none is wanted.</param>
/// <param name="Wanted">How many permits it is to have; it may get fewer, or none.</param>
internal readonly record struct BudgetCall(
    LimitCharge Charge, string? Ended = null, int Used = 0, string? Leased = null, int Wanted = 0);
