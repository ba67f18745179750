using System.Net;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// Active health: an upstream that answers <c>/v2/</c> below 500 lives. A 401 there means a wrong credential of the
/// gateway's, which failing over would not fix and a 502 with that reason explains.
/// </summary>
internal sealed class RegistryProbePolicy(IDestinationHealthUpdater health) : IActiveHealthCheckPolicy
{
    public const string PolicyName = "RegistryProbe";

    public string Name => PolicyName;

    public void ProbingCompleted(ClusterState cluster, IReadOnlyList<DestinationProbingResult> probingResults) =>
        health.SetActive(cluster, probingResults.Select(static probe => new NewActiveDestinationHealth(
            probe.Destination,
            probe.Response is { StatusCode: < HttpStatusCode.InternalServerError }
                ? DestinationHealth.Healthy
                : DestinationHealth.Unhealthy)));
}
