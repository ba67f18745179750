using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Records.Audit;
using Gateway.Server.Registry.Authorization;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Registry.Listing;
using Gateway.Server.Registry.Uploads;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.SignIn.Authentication;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;

namespace Gateway.Server.Registry.Proxying;

/// <summary>All that the host knows of forwarding.</summary>
internal static class ProxyingServiceExtensions
{
    /// <summary>Registers the registries' clusters and what asks them.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="registries">The registries.</param>
    /// <param name="makesTraces">Whether traces are made here, so that their context goes upstream.</param>
    public static IServiceCollection AddUpstreamProxy(
        this IServiceCollection services, IReadOnlyList<RegistryOptions> registries, bool makesTraces)
    {
        var clusters = new ClusterConfiguration(registries);
        var trust = new UpstreamTrust(registries);
        services.AddSingleton<IProxyConfigProvider>(new InMemoryConfigProvider(clusters.Routes, clusters.Clusters));
        services.AddSingleton<IForwarderHttpClientFactory>(provider => new UpstreamConnections(
            trust, makesTraces, sendsBodies: true, provider.GetRequiredService<ILogger<ForwarderHttpClientFactory>>()));
        services.AddSingleton(provider => new ClusterModels(registries, new UpstreamConnections(
            trust, makesTraces, sendsBodies: false,
            provider.GetRequiredService<ILogger<ForwarderHttpClientFactory>>())));
        services.AddSingleton<IPassiveHealthCheckPolicy, ConnectFailurePolicy>();
        services.AddSingleton<IActiveHealthCheckPolicy, RegistryProbePolicy>();
        services.AddSingleton<UpstreamAuthorization>();
        services.AddSingleton<UpstreamRedirects>();
        services.AddSingleton<UpstreamClient>();
        services.AddSingleton<UpstreamTags>();
        services.AddSingleton<UpstreamCatalog>();
        services.AddReverseProxy()
            .AddTransforms(builder =>
            {
                var authorization = builder.Services.GetRequiredService<UpstreamAuthorization>();
                builder.CopyRequestHeaders = false;
                builder.CopyResponseHeaders = false;
                builder.CopyResponseTrailers = false;
                builder.UseDefaultForwarders = false;
                builder.RequestTransforms.Add(new UpstreamRequestTransform(authorization, makesTraces));
                builder.ResponseTransforms.Add(new UpstreamResponseTransform(
                    authorization,
                    builder.Services.GetRequiredService<UpstreamRedirects>(),
                    builder.Services.GetRequiredService<UploadContinuation>(),
                    builder.Services.GetRequiredService<TimeProvider>()));
            });
        return services;
    }

    /// <summary>
    /// Maps the registry API. The whole pipeline is inside the proxy's own: whatever the path looks like and however
    /// routing matched it, nothing is forwarded around these steps.
    /// </summary>
    public static void MapRegistry(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapReverseProxy(static proxy =>
        {
            proxy.UseMiddleware<RegistryRequestMiddleware>(); // what is asked; refused unless understood completely
            proxy.UseMiddleware<UploadTicketMiddleware>(); // which upload it goes on with, for the next step
            proxy.UseMiddleware<AuthenticationMiddleware>(); // who asks
            proxy.UseMiddleware<AuthorizationMiddleware>(); // is it allowed; nothing below runs without an allow
            proxy.UseMiddleware<RateLimitMiddleware>(); // as often as that?
            proxy.UseMiddleware<AuditAdmissionMiddleware>(); // will there be a record; nothing below runs without one
            proxy.UseMiddleware<ListingMiddleware>(); // what is answered here
            proxy.UseContentCache(); // what is answered from memory, and what memory must forget
            proxy.UseMiddleware<ForwardingMiddleware>(); // where it goes
            proxy.UseLoadBalancing();
            proxy.UsePassiveHealthChecks();
        });
}
