using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Requests.Redis;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Limits.RateLimiting;

/// <summary>Budgets and limiters for tests.</summary>
internal static class LimitTesting
{
    public static LimitRule Rule(
        int rate, int seconds, int? burst = null, string name = "r", RequestClasses classes = RequestClasses.Pull) =>
            new()
            {
                Name = name,
                To = new SubjectSelectorSet([]),
                Classes = classes,
                Quota = new Quota(rate, TimeSpan.FromSeconds(seconds), burst ?? rate),
            };

    public static LimitCharge Charge(LimitRule rule, string key) => new(rule, "limit:" + key, key);

    /// <summary>Redis as one more gateway would use it.</summary>
    public static Task<LimitRedis> ConnectAsync(RedisServer server, TimeSpan? timeout = null) =>
        ConnectAsync(server.Options, timeout);

    public static async Task<LimitRedis> ConnectAsync(RedisOptions options, TimeSpan? timeout = null)
    {
        var redis = new LimitRedis(
            new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance),
            new LimitOptions { Timeout = timeout ?? TimeSpan.FromSeconds(5) }, // the machine may be busy
            TimeProvider.System,
            NullLogger<LimitRedis>.Instance);
        await redis.StartAsync(CancellationToken.None);
        return redis;
    }
}
