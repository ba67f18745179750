using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>A lease that is over, and is to be settled.</summary>
/// <param name="Charge">The budget.</param>
/// <param name="Id">The lease.</param>
/// <param name="Used">How many of its permits were taken.</param>
/// <param name="Asked">
/// When it ended here, in microseconds of this process's clock. Once <see cref="PermitLease.Lifetime"/> is over, too,
/// it counts as used up, and there is nothing to settle any more.
/// </param>
internal readonly record struct LeaseReturn(LimitCharge Charge, string Id, int Used, long Asked);
