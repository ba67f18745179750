using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Contents;

/// <summary>All that the host knows of the content cache.</summary>
internal static class ContentServiceExtensions
{
    private static readonly TimeSpan LongestSensibleAge = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan LongestSensibleTagAge = TimeSpan.FromMinutes(1);

    /// <summary>Registers the cache where its section is there and on; its figures always.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="options">The section.</param>
    /// <param name="redis">The section of the Redis that replicas share.</param>
    public static IServiceCollection AddContentCache(
        this IServiceCollection services, ContentCacheOptions? options, RedisOptions? redis)
    {
        var isOn = options is { Enabled: true };
        services.AddSingleton(provider => new ContentFigures(
            isOn ? provider.GetRequiredService<RegistryRouter>().Registries : []));
        if (!isOn)
        {
            return services;
        }

        services.AddSingleton(options!);
        services.AddSingleton<ContentStore>();
        services.AddSingleton<ContentAlarm>();
        services.AddSingleton<TagQuestions>();
        services.AddSingleton(provider => new ContentFeed(
            provider.GetRequiredService<ContentStore>(),
            options!,
            provider.GetServices<RedisConnection>(),
            redis,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ContentFeed>>()));
        services.AddHostedService(static provider => provider.GetRequiredService<ContentFeed>());
        if (redis is not null)
        {
            services.AddSingleton<IHealthPart>(static provider => provider.GetRequiredService<ContentFeed>());
        }

        return services;
    }

    /// <summary>What is allowed, and hardly meant.</summary>
    /// <param name="options">The section.</param>
    /// <param name="registries">The registries.</param>
    public static IEnumerable<Problem> Warnings(
        ContentCacheOptions? options, IReadOnlyList<RegistryOptions> registries)
    {
        if (options is not { Enabled: true })
        {
            yield break;
        }

        if (!registries.Any(static registry => registry.CacheContent))
        {
            yield return new Problem(
                "contentCache", "is on, but every registry has cacheContent: false, so it has no effect", null,
                "Remove the section, or cacheContent from a registry.");
        }

        if (options.MaxAge > LongestSensibleAge)
        {
            yield return new Problem(
                "contentCache.maxAge",
                "is long: what is deleted in the registry itself, as by its garbage collection or another tool, is "
                    + "served for as long as this",
                Duration.Format(options.MaxAge),
                "Set it to a minute, unless everything is deleted through the gateway.");
        }

        if (options.TagMaxAge > LongestSensibleTagAge)
        {
            yield return new Problem(
                "contentCache.tagMaxAge",
                "is long: clients that pull a tag get its old image for up to this time after it was pushed around "
                    + "this gateway",
                Duration.Format(options.TagMaxAge), "Set it to 0s, or to some seconds.");
        }
    }

    /// <summary>Adds its step, where it is on.</summary>
    public static void UseContentCache(this IApplicationBuilder app)
    {
        if (app.ApplicationServices.GetService<ContentStore>() is not null)
        {
            app.UseMiddleware<ContentMiddleware>();
        }
    }
}
