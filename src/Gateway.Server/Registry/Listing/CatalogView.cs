using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Listing;

/// <summary>What one request may see of catalogs: by the policy in force when it came, and never kept.</summary>
/// <param name="host">The host it was sent to.</param>
/// <param name="policy">The policy.</param>
/// <param name="principal">The caller.</param>
/// <param name="clientAddress">The client's address.</param>
/// <param name="time">The instant of the request.</param>
internal sealed class CatalogView(
    PublicHost host, PolicySet policy, Principal principal, IPAddress clientAddress, DateTimeOffset time)
{
    /// <summary>Whether the caller may pull from a repository of a registry, so that it is listed there.</summary>
    /// <remarks>Asked for each name of a catalog: it allocates nothing.</remarks>
    // A name that a longer prefix claims is not reachable here, so it is not listed here.
    public bool Shows(UpstreamRegistry registry, RepositoryName name) =>
        ReferenceEquals(RegistryRouter.FindRegistry(host, name), registry)
        && principal.Limit?.ActionsOn(name).HasFlag(RepositoryActions.Pull) is not false
        && policy.Evaluate(new AccessRequest
        {
            Subject = principal.Subject,
            Registry = registry.Name,
            Repository = name,
            Actions = RepositoryActions.Pull,
            ClientAddress = clientAddress,
            Time = time,
        }).IsAllowed;
}
