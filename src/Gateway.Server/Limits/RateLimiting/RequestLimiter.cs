using System.Threading.RateLimiting;
using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// Takes permits out of all budgets of a request, or out of none. No permits at all looks only, and is never refused.
/// </summary>
internal abstract class RequestLimiter : PartitionedRateLimiter<IReadOnlyList<LimitCharge>>
{
    /// <summary>Gives one permit back to each budget: what was asked for did not come about.</summary>
    public abstract ValueTask GiveBackAsync(IReadOnlyList<LimitCharge> charges, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public override RateLimiterStatistics GetStatistics(IReadOnlyList<LimitCharge> resource) =>
        new() { CurrentAvailablePermits = ((LimitLease)AttemptAcquire(resource, 0)).Verdict.Remaining };
}
