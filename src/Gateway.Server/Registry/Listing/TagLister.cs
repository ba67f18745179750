using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Listing;

/// <summary>Lists the tags a caller may pull, where rules about tags hide some.</summary>
internal sealed class TagLister(UpstreamTags upstream)
{
    /// <summary>
    /// One page: sorted, exact, with a cursor of its own, since Distribution 2.8 neither sorts nor pages.
    /// </summary>
    /// <returns>The page, or <see langword="null"/> where the upstream knows no such repository.</returns>
    /// <exception cref="UpstreamException">The upstream did not answer.</exception>
    public async Task<NamePage?> ListAsync(
        UpstreamRegistry registry,
        PolicySet policy,
        AccessRequest access,
        RegistryParameters parameters,
        CancellationToken cancellationToken)
    {
        if (await upstream.ListAsync(registry, access.Repository, cancellationToken) is not { } all)
        {
            return null;
        }

        var visible = new List<string>();
        foreach (var tag in all)
        {
            if ((parameters.Last is null || string.CompareOrdinal(tag.Value, parameters.Last) > 0)
                && policy.Evaluate(access with { Tag = TagScope.Of(tag) }).IsAllowed)
            {
                visible.Add(tag.Value);
            }
        }

        visible.Sort(StringComparer.Ordinal);
        var size = parameters.PageSize ?? visible.Count;
        // n=0 asks for nothing, and gets no link either, as from Distribution.
        return new NamePage(
            visible.Take((int)Math.Min(size, visible.Count)).ToList(), size, size > 0 && visible.Count > size);
    }
}
