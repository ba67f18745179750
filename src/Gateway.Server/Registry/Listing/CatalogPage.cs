using Gateway.Core.Registry;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Listing;

/// <summary>
/// One page of a registry's catalog as the upstream gave it, immutable: no caller's view of it, and for no caller.
/// </summary>
internal sealed class CatalogPage
{
    // Estimates, on 64 bits: an entry of each collection, the name and its text, without the text's characters.
    private const int BytesOfPage = 512;
    private const int BytesOfName = 100;

    // The order is the upstream's own (Distribution sorts "/" before every other character, others do not), so names
    // are found by themselves and never by comparing.
    private readonly Dictionary<string, int> _next;

    /// <param name="registry">Whose it is.</param>
    /// <param name="after">The upstream's name that it follows; <see langword="null"/> for the first page.</param>
    /// <param name="names">The upstream's names, in its order.</param>
    /// <param name="next">The cursor of the following page; <see langword="null"/> where none follows.</param>
    /// <param name="readAt">The timestamp at which reading it began.</param>
    public CatalogPage(
        UpstreamRegistry registry, string? after, IReadOnlyList<string> names, string? next, long readAt)
    {
        (Registry, After, Next, ReadAt) = (registry, after, next, readAt);
        var visible = new List<RepositoryName>(names.Count);
        _next = new Dictionary<string, int>(names.Count, StringComparer.Ordinal);
        Bytes = BytesOfPage;
        foreach (var name in names)
        {
            if (registry.TryToPublic(name, out var repository))
            {
                visible.Add(repository);
                var key = repository.Value == name ? repository.Value : name;
                _next[key] = visible.Count;
                Bytes += BytesOfName + (repository.Value.Length * sizeof(char) * (repository.Value == name ? 1 : 2));
            }
        }

        Names = [.. visible];
    }

    /// <summary>Whose it is.</summary>
    public UpstreamRegistry Registry { get; }

    /// <summary>The upstream's name that it follows; <see langword="null"/> for the first page.</summary>
    public string? After { get; }

    /// <summary>The public names of its repositories, in the upstream's order.</summary>
    public RepositoryName[] Names { get; }

    /// <summary>The cursor of the following page; <see langword="null"/> where none follows.</summary>
    public string? Next { get; }

    /// <summary>The timestamp at which reading it began.</summary>
    public long ReadAt { get; }

    /// <summary>About how much memory it takes, in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Where the names after one of this page begin.</summary>
    /// <param name="upstreamName">The upstream's name.</param>
    /// <param name="index">An index of <see cref="Names"/>, or their number after the last one.</param>
    /// <returns><see langword="false"/> where the page does not have the name.</returns>
    public bool TryFindAfter(string upstreamName, out int index) => _next.TryGetValue(upstreamName, out index);
}
