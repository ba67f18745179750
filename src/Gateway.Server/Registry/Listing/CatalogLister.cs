using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Listing;

/// <summary>Lists exactly the repositories that a caller may pull, over every registry of a host.</summary>
internal sealed class CatalogLister(UpstreamCatalog upstream, TimeProvider time)
{
    private const int DefaultPageSize = 100;

    /// <summary>The greatest page a client may ask for: Distribution's own limit.</summary>
    public const int GreatestPageSize = 1_000;

    /// <summary>
    /// One page of what policy and the credential's limit let the caller pull. Registries follow one another, the one
    /// with the longest prefix first.
    /// </summary>
    /// <exception cref="UpstreamException">An upstream did not answer.</exception>
    public async Task<NamePage> ListAsync(
        PublicHost host,
        PolicySet policy,
        Principal principal,
        IPAddress clientAddress,
        RegistryParameters parameters,
        CancellationToken cancellationToken)
    {
        var size = parameters.PageSize ?? DefaultPageSize;
        var names = new List<string>((int)Math.Min(size, DefaultPageSize));
        // n=0 as Distribution answers it. A caller without rights sees nothing: no walk, which costs the upstream most.
        if (size == 0 || !policy.HasAnyGrant(principal.Subject))
        {
            return new NamePage(names, size, HasMore: false);
        }

        var now = time.GetUtcNow();
        var resumeIn = ResumeIn(host, parameters.Last);
        for (var i = resumeIn; i < host.Registries.Count; i++)
        {
            var registry = host.Registries[i];
            var last = i == resumeIn ? UpstreamCursor(registry, parameters.Last) : null;
            await foreach (var name in upstream.ListAsync(registry, last, cancellationToken))
            {
                // A name that a longer prefix claims is not reachable here, so it is not listed here.
                if (!ReferenceEquals(RegistryRouter.FindRegistry(host, name), registry)
                    || principal.Limit?.ActionsOn(name).HasFlag(RepositoryActions.Pull) is false
                    || !policy.Evaluate(Access(registry, name)).IsAllowed)
                {
                    continue;
                }

                if (names.Count == size)
                {
                    return new NamePage(names, size, HasMore: true);
                }

                names.Add(name.Value);
            }
        }

        return new NamePage(names, size, HasMore: false);

        AccessRequest Access(UpstreamRegistry registry, RepositoryName name) => new()
        {
            Subject = principal.Subject,
            Registry = registry.Name,
            Repository = name,
            Actions = RepositoryActions.Pull,
            ClientAddress = clientAddress,
            Time = now,
        };
    }

    private static int ResumeIn(PublicHost host, string? last)
    {
        if (last is null || !RepositoryName.TryParse(last, out var name))
        {
            return 0;
        }

        for (var i = 0; i < host.Registries.Count; i++)
        {
            if (host.Registries[i].Covers(name))
            {
                return i;
            }
        }

        return 0;
    }

    private static string? UpstreamCursor(UpstreamRegistry registry, string? last) =>
        last is not null && RepositoryName.TryParse(last, out var name) && registry.Covers(name)
            ? registry.ToUpstream(name).Value
            : last;
}
