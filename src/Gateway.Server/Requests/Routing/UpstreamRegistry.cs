using System.Diagnostics.CodeAnalysis;
using Gateway.Core.Registry;

namespace Gateway.Server.Requests.Routing;

/// <summary>
/// A configured registry, ready for requests: which repositories it holds, and by which names it knows them.
/// </summary>
internal sealed class UpstreamRegistry
{
    private readonly string? _prefix;
    private readonly bool _stripPrefix;

    /// <param name="options">Validated options.</param>
    /// <param name="ownNames">The names that the gateway itself is called by, without ports, lower case.</param>
    public UpstreamRegistry(RegistryOptions options, IReadOnlySet<string> ownNames)
    {
        Name = options.Name;
        Host = options.Host;
        _prefix = options.Prefix is null ? null : options.Prefix + "/";
        _stripPrefix = options.StripPrefix;
        Credential = UpstreamCredential.Header(options.Credential);
        ForwardsToken = options.ForwardToken;
        CachesContent = options.CacheContent;
        Redirects = new AllowedRedirects(options, ownNames);
    }

    /// <summary>The configured name; also the YARP cluster's.</summary>
    public string Name { get; }

    /// <summary>The only host it serves, or <see langword="null"/> for every host that no registry claims.</summary>
    public string? Host { get; }

    /// <summary>How specific its prefix is; the longest one that fits wins.</summary>
    public int PrefixLength => _prefix?.Length ?? 0;

    /// <summary>The configured <c>Authorization</c> header for the upstream, or <see langword="null"/>.</summary>
    public string? Credential { get; }

    /// <summary>Whether the upstream is sent tokens instead.</summary>
    public bool ForwardsToken { get; }

    /// <summary>Whether its content may be kept in memory.</summary>
    public bool CachesContent { get; }

    /// <summary>Where the upstream may send clients.</summary>
    public AllowedRedirects Redirects { get; }

    /// <summary>Whether a repository lies under this registry's prefix.</summary>
    public bool Covers(RepositoryName name) =>
        _prefix is null || name.Value.StartsWith(_prefix, StringComparison.Ordinal);

    /// <summary>The name by which the upstream knows a public repository.</summary>
    public RepositoryName ToUpstream(RepositoryName name) =>
        _prefix is not null && _stripPrefix ? RepositoryName.Parse(name.Value[_prefix.Length..]) : name;

    /// <summary>The public name of an upstream's repository; <see langword="false"/> where it has none.</summary>
    public bool TryToPublic(ReadOnlySpan<char> upstreamName, [NotNullWhen(true)] out RepositoryName? name)
    {
        if (_prefix is null || !_stripPrefix)
        {
            return RepositoryName.TryParse(upstreamName, out name) && Covers(name);
        }

        return RepositoryName.TryParse(string.Concat(_prefix, upstreamName), out name);
    }
}
