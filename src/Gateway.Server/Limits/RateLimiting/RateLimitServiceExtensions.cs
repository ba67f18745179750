using Gateway.Core.RateLimiting;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>All that the host knows of limits.</summary>
internal static class RateLimitServiceExtensions
{
    /// <summary>Registers limits, read anew when the configuration file changes, and where they are counted.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="options">The section.</param>
    /// <param name="file">The file that it is in; <see langword="null"/> where a program made it.</param>
    /// <param name="load">Reads the section anew.</param>
    /// <param name="isShared">Whether they are counted in Redis, for all replicas.</param>
    public static IServiceCollection AddRateLimits(
        this IServiceCollection services, LimitOptions options, string? file, Func<LimitOptions> load, bool isShared)
    {
        services.AddSingleton(provider => new Reloadable<LimitSet>(
            "limits",
            () => file is null ? [] : [file],
            () => LimitReader.Read(load()),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Reloadable<LimitSet>>>()));
        services.AddSingleton<IReloadable>(static provider => provider.GetRequiredService<Reloadable<LimitSet>>());
        services.AddSingleton<MemoryLimiter>();
        services.AddSingleton<RequestLimits>();
        services.AddSingleton(static provider => new LimitLedger(
            provider.GetRequiredService<Reloadable<LimitSet>>(),
            provider.GetRequiredService<MemoryLimiter>(),
            provider.GetRequiredService<FailureCounter>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetService<RedisConnection>(),
            provider.GetService<LimitLeases>()));
        services.AddSingleton<LimitsEndpoint>();
        services.AddSingleton<CredentialFingerprint>();
        services.AddSingleton(static provider => new FailureCounter(
            provider.GetRequiredService<TimeProvider>(), provider.GetService<LimitRedis>()));
        if (!isShared)
        {
            services.AddSingleton<RequestLimiter>(static provider => provider.GetRequiredService<MemoryLimiter>());
            return services;
        }

        services.AddSingleton(provider => new LimitRedis(
            provider.GetRequiredService<RedisConnection>(),
            options,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<LimitRedis>>()));
        services.AddSingleton<IHealthPart>(static provider => provider.GetRequiredService<LimitRedis>());
        services.AddHostedService(static provider => provider.GetRequiredService<LimitRedis>());
        services.AddSingleton(static provider => new LimitLeases(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static provider => new SharedLimiter(
            provider.GetRequiredService<LimitRedis>(),
            provider.GetRequiredService<MemoryLimiter>(),
            provider.GetRequiredService<LimitLeases>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<RequestLimiter>(static provider => provider.GetRequiredService<SharedLimiter>());
        services.AddHostedService(static provider => provider.GetRequiredService<SharedLimiter>());
        return services;
    }
}
