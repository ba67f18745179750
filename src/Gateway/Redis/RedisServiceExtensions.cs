using Gateway.Configuration;

namespace Gateway.Redis;

/// <summary>What the host knows of Redis.</summary>
internal static class RedisServiceExtensions
{
    /// <summary>Adds <see cref="RedisConnection"/> where the section <c>redis</c> is there.</summary>
    public static IServiceCollection AddRedis(this IServiceCollection services, GatewayOptions options)
    {
        if (options.Redis is { } redis)
        {
            services.AddSingleton(provider => new RedisConnection(
                redis,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<RedisConnection>>(),
                longest: options.Limits.Timeout));
        }

        return services;
    }
}
