namespace Gateway.Server.Requests.Redis;

/// <summary>What the host knows of Redis.</summary>
internal static class RedisServiceExtensions
{
    /// <summary>Adds <see cref="RedisConnection"/> where the section <c>redis</c> is there.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="options">The section.</param>
    /// <param name="longest">The longest budget of a call, where that is longer than the section's.</param>
    public static IServiceCollection AddRedis(this IServiceCollection services, RedisOptions? options, TimeSpan longest)
    {
        if (options is { } redis)
        {
            services.AddSingleton(provider => new RedisConnection(
                redis,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<RedisConnection>>(),
                longest: longest));
        }

        return services;
    }
}
