using Gateway.Foundation.Caching;
using Gateway.Server.Registry.Listing;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Host.Metrics;

/// <summary>All that the host knows of metrics.</summary>
internal static class MetricsServiceExtensions
{
    /// <summary>Registers the instruments and what <c>/metrics</c> answers with.</summary>
    public static IServiceCollection AddGatewayMetrics(this IServiceCollection services)
    {
        services.AddMetrics();
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<MetricStore>();
        services.AddSingleton<MetricsEndpoint>();
        services.AddSingleton<StateInstruments>();
        services.AddSingleton<IMeasuredCache>(
            static provider => provider.GetRequiredService<VerifiedCredentialCache>());
        services.AddSingleton<IMeasuredCache>(static provider => provider.GetRequiredService<UpstreamTokens>());
        services.AddSingleton<IMeasuredCache>(static provider => provider.GetRequiredService<CatalogPages>());
        services.AddSingleton(static provider => (IMeasuredCache)provider.GetRequiredService<IAccessTokenVerifier>());
        services.AddSingleton(static provider => (IMeasuredCache)provider.GetRequiredService<ICredentialDirectory>());
        return services;
    }

    /// <summary>Begins to count. Place it first: what happens before is not seen.</summary>
    public static void UseGatewayMetrics(this IApplicationBuilder app)
    {
        _ = app.ApplicationServices.GetRequiredService<MetricStore>(); // listens from now on
        app.ApplicationServices.GetRequiredService<StateInstruments>().Create();
        app.UseMiddleware<MetricsMiddleware>();
    }
}
