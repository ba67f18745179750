using System.Collections.Frozen;

namespace Gateway.Server.Requests.Routing;

/// <summary>Where one registry's upstreams may send clients.</summary>
internal sealed class AllowedRedirects
{
    private readonly AllowedRedirect[]? _listed; // null: not set
    private readonly FrozenSet<string> _plainHosts;
    private readonly FrozenSet<(string Host, int Port)> _upstreams;

    /// <param name="options">Validated options.</param>
    /// <param name="ownNames">
    /// The names that the gateway itself is called by. Many clients send their credentials along to any port of the
    /// name that they began with, so plain HTTP there is not allowed by itself, even where an upstream has the same
    /// name.
    /// </param>
    public AllowedRedirects(RegistryOptions options, IReadOnlySet<string> ownNames)
    {
        _listed = options.Redirects.Allow?.Select(
            static text => AllowedRedirect.TryParse(text, out var allowed, out _, out _)
            ? allowed
            : throw new FormatException($"\"{text}\" went through the validation")).ToArray();
        _upstreams = options.Upstreams.Select(static url => (url.Host.ToLowerInvariant(), url.Port)).ToFrozenSet();
        _plainHosts = _upstreams.Select(static upstream => upstream.Host).Where(host => !ownNames.Contains(host))
            .ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>Whether it is an upstream itself, where no client belongs.</summary>
    public bool IsUpstream(RedirectTarget target) => _upstreams.Contains((target.Host.Host, target.Port));

    /// <summary>Whether a client may be sent there.</summary>
    public bool Allows(RedirectTarget target) => _listed is null
        ? target.IsEncrypted || _plainHosts.Contains(target.Host.Host)
        : Array.Exists(_listed, allowed => allowed.Matches(target));
}
