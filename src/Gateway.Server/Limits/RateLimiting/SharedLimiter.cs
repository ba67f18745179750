using System.Threading.RateLimiting;
using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>Budgets in Redis, shared by all replicas; in this process while Redis does not answer.</summary>
internal sealed class SharedLimiter(LimitRedis redis, MemoryLimiter memory) : RequestLimiter
{
    /// <inheritdoc/>
    public override async ValueTask GiveBackAsync(
        IReadOnlyList<LimitCharge> charges, CancellationToken cancellationToken)
    {
        if (await redis.TakeAsync(charges, -1, cancellationToken) is null)
        {
            await memory.GiveBackAsync(charges, cancellationToken);
        }
    }

    /// <remarks>A request that cannot wait for Redis is judged by what this process has counted.</remarks>
    protected override RateLimitLease AttemptAcquireCore(IReadOnlyList<LimitCharge> resource, int permitCount) =>
        memory.AttemptAcquire(resource, permitCount);

    /// <inheritdoc/>
    protected override async ValueTask<RateLimitLease> AcquireAsyncCore(
        IReadOnlyList<LimitCharge> resource, int permitCount, CancellationToken cancellationToken) =>
        await redis.TakeAsync(resource, permitCount, cancellationToken) is { } reply
            ? LimitLease.Judge(resource, reply.Wholes.Span, reply.Now, permitCount)
            : memory.AttemptAcquire(resource, permitCount);
}
