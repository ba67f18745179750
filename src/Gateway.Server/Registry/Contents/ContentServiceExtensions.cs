using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Contents;

/// <summary>All that the host knows of the content cache.</summary>
internal static class ContentServiceExtensions
{
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

    /// <summary>Adds its step, where it is on.</summary>
    public static void UseContentCache(this IApplicationBuilder app)
    {
        if (app.ApplicationServices.GetService<ContentStore>() is not null)
        {
            app.UseMiddleware<ContentMiddleware>();
        }
    }
}
