using Gateway.Configuration;

namespace Gateway.Redis;

/// <summary>What the host knows of Redis.</summary>
internal static class RedisServiceExtensions
{
    /// <summary>Adds <see cref="RedisConnection"/> where the section <c>redis</c> is there.</summary>
    public static IServiceCollection AddRedis(this IServiceCollection services, RedisOptions? options)
    {
        if (options is { } redis)
        {
            services.AddSingleton(provider => new RedisConnection(
                redis,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<RedisConnection>>()));
        }

        return services;
    }
}
