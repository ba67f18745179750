using Gateway.Configuration;
using Gateway.Core.RateLimiting;
using Gateway.Hosting;
using Gateway.Redis;
using Gateway.Reloading;

namespace Gateway.RateLimiting;

/// <summary>All that the host knows of limits.</summary>
internal static class RateLimitServiceExtensions
{
    /// <summary>Registers limits, read anew when the configuration file changes, and where they are counted.</summary>
    public static IServiceCollection AddRateLimits(this IServiceCollection services, GatewayOptions options)
    {
        services.AddSingleton(provider => new Reloadable<LimitSet>(
            "limits",
            () => options.File is { } file ? [file] : [],
            () => Load(options),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Reloadable<LimitSet>>>()));
        services.AddSingleton<IReloadable>(static provider => provider.GetRequiredService<Reloadable<LimitSet>>());
        services.AddSingleton<MemoryLimiter>();
        services.AddSingleton<RequestLimits>();
        services.AddSingleton<CredentialFingerprint>();
        services.AddSingleton(static provider => new FailureCounter(
            provider.GetRequiredService<TimeProvider>(), provider.GetService<LimitRedis>()));
        if (options.Redis is null)
        {
            services.AddSingleton<RequestLimiter>(static provider => provider.GetRequiredService<MemoryLimiter>());
            return services;
        }

        services.AddSingleton(provider => new LimitRedis(
            provider.GetRequiredService<RedisConnection>(),
            options.Limits,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<LimitRedis>>()));
        services.AddSingleton<IHealthPart>(static provider => provider.GetRequiredService<LimitRedis>());
        services.AddHostedService(static provider => provider.GetRequiredService<LimitRedis>());
        services.AddSingleton<RequestLimiter, SharedLimiter>();
        return services;
    }

    // Of a changed file nothing but this section is taken; the rest is in force from a start on.
    private static LimitSet Load(GatewayOptions options) => LimitReader.Read(options.File is { } file
        ? ConfigurationLoader.Load(file, ConfigurationLoader.ProcessEnvironment()).Limits
        : options.Limits);
}
