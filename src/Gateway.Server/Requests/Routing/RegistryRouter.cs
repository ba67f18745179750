using System.Collections.Frozen;
using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Routing;

/// <summary>Which registry holds a repository: by host first, then by the longest prefix.</summary>
internal sealed class RegistryRouter
{
    private readonly FrozenDictionary<string, PublicHost> _hosts;

    /// <param name="publicUrl">The URL that clients use.</param>
    /// <param name="otherHosts">Further hosts.</param>
    /// <param name="registries">The registries, which may have hosts of their own.</param>
    public RegistryRouter(
        Uri publicUrl, IEnumerable<string> otherHosts, IReadOnlyCollection<RegistryOptions> registries)
    {
        string[] authorities =
        [
            publicUrl.Authority, .. otherHosts,
            .. registries.Select(static registry => registry.Host).OfType<string>(),
        ];
        var ownNames = authorities.Select(
            static authority => HostName.TryParse(authority, out var name) ? name.Host : authority)
            .ToHashSet(StringComparer.Ordinal);
        Registries = [.. registries.Select(registry => new UpstreamRegistry(registry, ownNames))];
        // Host names compare without case (RFC 9110, section 4.2.3); repositories never do.
        var hosts = new Dictionary<string, PublicHost>(StringComparer.OrdinalIgnoreCase);
        foreach (var authority in authorities)
        {
            var withoutDefaultPort = authority.EndsWith(":443", StringComparison.Ordinal) ? authority[..^4] : authority;
            var host = new PublicHost(withoutDefaultPort, RegistriesOf(authority));
            hosts[withoutDefaultPort] = host;
            hosts[withoutDefaultPort + (HasPort(withoutDefaultPort) ? "" : ":443")] = host;
        }

        _hosts = hosts.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        PublicHost = _hosts[publicUrl.Authority];
    }

    /// <summary>Every configured registry.</summary>
    public IReadOnlyList<UpstreamRegistry> Registries { get; }

    /// <summary>The host of <c>publicUrl</c>.</summary>
    public PublicHost PublicHost { get; }

    /// <summary>The host that a <c>Host</c> header names, or <see langword="null"/> where it is none of ours.</summary>
    public PublicHost? FindHost(string host) => _hosts.GetValueOrDefault(host);

    /// <summary>The registry that holds a repository, or <see langword="null"/> where none does.</summary>
    public static UpstreamRegistry? FindRegistry(PublicHost host, RepositoryName name)
    {
        // By index: an enumerator of the interface would be allocated, for each request and each name of a catalog.
        for (var i = 0; i < host.Registries.Count; i++)
        {
            if (host.Registries[i].Covers(name))
            {
                return host.Registries[i];
            }
        }

        return null;
    }

    private static bool HasPort(string authority) => authority.LastIndexOf(':') > authority.LastIndexOf(']');

    private IReadOnlyList<UpstreamRegistry> RegistriesOf(string authority)
    {
        var own = Registries.Where(r => string.Equals(r.Host, authority, StringComparison.OrdinalIgnoreCase)).ToList();
        var serving = own.Count > 0 ? own : [.. Registries.Where(static registry => registry.Host is null)];
        return [.. serving.OrderByDescending(static registry => registry.PrefixLength)];
    }
}
