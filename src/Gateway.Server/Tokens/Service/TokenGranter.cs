using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Tokens.Service;

/// <summary>
/// The access that a token is granted: the request, the credential's limit or the policy, whichever is least.
/// </summary>
/// <remarks>
/// Not a decision: each request is decided again, by the policy at that time and with its tag. A narrow token only
/// keeps a client from what it did not ask for. Asking for too much is not an error (Distribution, "Token
/// Authentication Specification").
/// </remarks>
internal sealed class TokenGranter(Reloadable<PolicySet> policies, TimeProvider time)
{
    /// <summary>Works it out. The upstream is not asked, so nothing reveals whether a repository exists.</summary>
    public AccessScope Grant(Principal principal, AccessScope asked, PublicHost host, IPAddress clientAddress)
    {
        if (asked.IsEmpty)
        {
            return AccessScope.Empty;
        }

        var policy = policies.Current;
        var now = time.GetUtcNow();
        var granted = new List<RepositoryScope>(asked.Repositories.Length);
        foreach (var (repository, wanted) in asked.Repositories)
        {
            if (RegistryRouter.FindRegistry(host, repository) is not { } registry)
            {
                continue;
            }

            var actions = policy.Grantable(new AccessRequest
            {
                Subject = principal.Subject,
                Registry = registry.Name,
                Repository = repository,
                Actions = wanted,
                ClientAddress = clientAddress,
                Time = now,
            });
            if (principal.Limit is { } limit)
            {
                actions &= limit.ActionsOn(repository);
            }

            if ((actions & RepositoryActions.Push) != 0)
            {
                // never one without the other, and a registry that verifies wants both
                actions |= RepositoryActions.Pull;
            }

            if (actions != RepositoryActions.None)
            {
                granted.Add(new RepositoryScope(repository, actions));
            }
        }

        return AccessScope.Create(granted, asked.Catalog && policy.HasAnyGrant(principal.Subject));
    }
}
