using System.Net;
using System.Runtime.CompilerServices;
using Gateway.Server.Requests.Routing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// The configured registries as YARP's clusters: one cluster and one route for each, of the registry's name.
/// </summary>
internal sealed class ClusterConfiguration
{
    private readonly Dictionary<string, TimeSpan> _blobActivityTimeouts;
    private readonly ConditionalWeakTable<ClusterModel, ClusterModel> _blobModels = [];

    public ClusterConfiguration(IReadOnlyList<RegistryOptions> registries)
    {
        Clusters = [.. registries.Select(ToCluster)];
        Routes = [.. registries.Select(ToRoute)];
        _blobActivityTimeouts = registries.ToDictionary(r => r.Name, r => r.BlobActivityTimeout);
    }

    public IReadOnlyList<ClusterConfig> Clusters { get; }

    /// <summary>
    /// All match the same path; the pipeline chooses among them, since routing ignores case and decodes.
    /// </summary>
    public IReadOnlyList<RouteConfig> Routes { get; }

    /// <summary>The same cluster with the patience that blobs need.</summary>
    public ClusterModel ForBlobs(ClusterModel model) =>
        _blobModels.GetValue(model, m => new ClusterModel(
            m.Config with
            {
                HttpRequest = m.Config.HttpRequest! with
                {
                    ActivityTimeout = _blobActivityTimeouts[m.Config.ClusterId],
                },
            },
            m.HttpClient));

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
