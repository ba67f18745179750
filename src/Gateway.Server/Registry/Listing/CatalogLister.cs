using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Listing;

/// <summary>Lists exactly the repositories that a caller may pull, over every registry of a host.</summary>
internal sealed class CatalogLister(CatalogPages pages, TimeProvider time)
{
    private const int DefaultPageSize = 100;
    private const int MostUpstreamPages = 2_000; // a caller who may see little of a large registry walks all of it

    /// <summary>The greatest page a client may ask for: Distribution's own limit.</summary>
    public const int GreatestPageSize = 1_000;

    /// <summary>
    /// One page of what policy and the credential's limit let the caller pull. Registries follow one another, the one
    /// with the longest prefix first.
    /// </summary>
    /// <returns>The page; or why the upstream is not asked now.</returns>
    /// <exception cref="UpstreamException">An upstream did not answer, or its catalog does not end.</exception>
    public async Task<(NamePage Page, RegistryError? Refusal)> ListAsync(
        PublicHost host,
        PolicySet policy,
        Principal principal,
        IPAddress clientAddress,
        RegistryParameters parameters,
        CatalogPlace place,
        CancellationToken cancellationToken)
    {
        var size = parameters.PageSize ?? DefaultPageSize;
        var names = new List<string>((int)Math.Min(size, DefaultPageSize));
        // n=0 as Distribution answers it. A caller without rights sees nothing: no walk, which costs the upstream most.
        if (size == 0 || !policy.HasAnyGrant(principal.Subject))
        {
            return (new NamePage(names, size, HasMore: false), null);
        }

        var view = new CatalogView(host, policy, principal, clientAddress, time.GetUtcNow());
        var (resumeIn, cursor, isShown) = Resume(host, parameters.Last, view);
        for (var i = resumeIn; i < host.Registries.Count; i++)
        {
            var registry = host.Registries[i];
            for (var read = 0; ; read++)
            {
                if (read == MostUpstreamPages)
                {
                    throw new UpstreamException(UpstreamErrors.Nonsense("its catalog does not end"));
                }

                cancellationToken.ThrowIfCancellationRequested(); // a walk in memory waits for nothing else
                var position = isShown
                    ? await pages.FindAsync(registry, cursor, place, cancellationToken)
                    : await pages.ReadApartAsync(registry, cursor, place, cancellationToken);
                isShown = true; // from here on cursors are the upstream's
                if (position.Refusal is { } refusal)
                {
                    return (default, refusal);
                }

                if (!TryAdd(position, view, size, names))
                {
                    return (new NamePage(names, size, HasMore: true), null);
                }

                if (position.Page.Next is not { } next)
                {
                    break;
                }

                cursor = next;
            }

            cursor = null;
        }

        return (new NamePage(names, size, HasMore: false), null);
    }

    // Adds what the caller may see; false where there is one more than the page holds.
    private static bool TryAdd(CatalogPosition position, CatalogView view, long size, List<string> names)
    {
        var page = position.Page;
        for (var i = position.Index; i < page.Names.Length; i++)
        {
            if (!view.Shows(page.Registry, page.Names[i]))
            {
                continue;
            }

            if (names.Count == size)
            {
                return false;
            }

            names.Add(page.Names[i].Value);
        }

        return true;
    }

    // A name that the caller may see is looked for in what is known; nothing is told of others by looking for them.
    private static (int Registry, string? Cursor, bool IsShown) Resume(
        PublicHost host, string? last, CatalogView view)
    {
        if (string.IsNullOrEmpty(last))
        {
            return (0, null, true);
        }

        if (RepositoryName.TryParse(last, out var name))
        {
            for (var i = 0; i < host.Registries.Count; i++)
            {
                var registry = host.Registries[i];
                if (registry.Covers(name))
                {
                    return (i, registry.ToUpstream(name).Value, view.Shows(registry, name));
                }
            }
        }

        return (0, last, false);
    }
}
