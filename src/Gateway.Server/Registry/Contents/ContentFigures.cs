using System.Collections.Frozen;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Contents;

/// <summary>What <c>/metrics</c> says of the content cache; nothing where it is off.</summary>
internal sealed class ContentFigures
{
    private readonly FrozenDictionary<string, RegistryFigures> _registries;

    /// <param name="registries">The registries whose contents may be kept.</param>
    public ContentFigures(IEnumerable<UpstreamRegistry> registries) => _registries = registries.ToFrozenDictionary(
        static registry => registry.Name, static registry => new RegistryFigures(registry.Name));

    /// <summary>The figures of each registry.</summary>
    public IReadOnlyList<RegistryFigures> Registries => _registries.Values;

    /// <summary>The figures of repositories.</summary>
    public RepositoryFigures Repositories { get; } = new();

    /// <summary>The figures of a registry.</summary>
    public RegistryFigures Of(string registry) => _registries[registry];

    /// <summary>Counts a request.</summary>
    public void Count(in ContentKey key, ContentResult result)
    {
        Of(key.Registry).Count(result);
        Repositories.Count(
            key.Registry, key.Repository,
            isHit: result is ContentResult.Hit or ContentResult.Checked or ContentResult.Shared);
    }
}
