using System.Net;
using Gateway.Server.Requests.Routing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.LoadBalancing;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// The configured registries as YARP's clusters: one cluster and one route for each, of the registry's name.
/// </summary>
internal sealed class ClusterConfiguration
{
    public ClusterConfiguration(IReadOnlyList<RegistryOptions> registries)
    {
        Clusters = [.. registries.Select(ToCluster)];
        Routes = [.. registries.Select(ToRoute)];
    }

    public IReadOnlyList<ClusterConfig> Clusters { get; }

    /// <summary>
    /// All match the same path; the pipeline chooses among them, since routing ignores case and decodes.
    /// </summary>
    public IReadOnlyList<RouteConfig> Routes { get; }

    private static ClusterConfig ToCluster(RegistryOptions options) => new()
    {
        ClusterId = options.Name,
        LoadBalancingPolicy = LoadBalancingPolicies.PowerOfTwoChoices,
        Destinations = options.Upstreams.ToDictionary(
            // Scheme included: one host may serve http and https on their usual ports.
            static upstream => upstream.GetLeftPart(UriPartial.Authority),
            static upstream => new DestinationConfig { Address = upstream.GetLeftPart(UriPartial.Authority) + "/" }),
        HttpRequest = new ForwarderRequestConfig
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            ActivityTimeout = options.ActivityTimeout,
        },
        HealthCheck = new HealthCheckConfig
        {
            // With every upstream seemingly down it is better to try one than to refuse what may work again.
            AvailableDestinationsPolicy = HealthCheckConstants.AvailableDestinations.HealthyOrPanic,
            Active = new ActiveHealthCheckConfig
            {
                Enabled = true,
                Interval = options.HealthCheck.Interval,
                Timeout = options.HealthCheck.Timeout,
                Policy = RegistryProbePolicy.PolicyName,
                Path = "/v2/",
            },
            Passive = new PassiveHealthCheckConfig
            {
                Enabled = true,
                Policy = ConnectFailurePolicy.PolicyName,
                ReactivationPeriod = options.HealthCheck.Interval,
            },
        },
    };

    private static RouteConfig ToRoute(RegistryOptions options, int order) => new()
    {
        RouteId = options.Name,
        ClusterId = options.Name,
        Order = order,
        Match = new RouteMatch { Path = "/v2/{**rest}" },
    };
}
