using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// Passive health: an upstream that could not be reached is left alone until the next probe period. YARP's own policy
/// waits for a rate over ten requests, each of which would fail somebody's pull.
/// </summary>
internal sealed class ConnectFailurePolicy(IDestinationHealthUpdater health) : IPassiveHealthCheckPolicy
{
    public const string PolicyName = "ConnectFailure";

    public string Name => PolicyName;

    public void RequestProxied(HttpContext context, ClusterState cluster, DestinationState destination)
    {
        if (context.Features.Get<IForwarderErrorFeature>() is { Error: ForwarderError.Request }
            && !context.RequestAborted.IsCancellationRequested)
        {
            health.SetPassive(
                cluster, destination, DestinationHealth.Unhealthy,
                cluster.Model.Config.HealthCheck!.Passive!.ReactivationPeriod!.Value);
        }
    }
}
