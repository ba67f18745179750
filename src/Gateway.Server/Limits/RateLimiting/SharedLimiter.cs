using System.Threading.RateLimiting;
using Gateway.Core.RateLimiting;
using StackExchange.Redis;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>Budgets in Redis, shared by all replicas; in this process while Redis does not answer.</summary>
internal sealed class SharedLimiter(LimitRedis redis, MemoryLimiter memory) : RequestLimiter
{
    /// <inheritdoc/>
    public override async ValueTask GiveBackAsync(IReadOnlyList<LimitCharge> charges, CancellationToken cancellationToken)
    {
        if (await EvaluateAsync(charges, -1, cancellationToken) is null)
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
        await EvaluateAsync(resource, permitCount, cancellationToken) is { } answer
            ? LimitLease.Judge(resource, answer.AsSpan(1), answer[0], permitCount)
            : memory.AttemptAcquire(resource, permitCount);

    private async ValueTask<long[]?> EvaluateAsync(
        IReadOnlyList<LimitCharge> charges, int permits, CancellationToken cancellationToken)
    {
        var keys = new RedisKey[charges.Count];
        var values = new RedisValue[1 + (2 * charges.Count)];
        values[0] = permits;
        for (var i = 0; i < charges.Count; i++)
        {
            var quota = charges[i].Rule.Quota;
            keys[i] = redis.Key(charges[i].Key);
            values[(2 * i) + 1] = quota.Interval;
            values[(2 * i) + 2] = quota.Burst;
        }

        return await redis.TryEvaluateAsync(LimitScripts.Take, keys, values, cancellationToken);
    }
}
