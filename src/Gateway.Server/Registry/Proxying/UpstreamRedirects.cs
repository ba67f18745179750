using System.Collections.Concurrent;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Proxying;

/// <summary>Judges where an upstream's redirect leads, which the client will follow by itself.</summary>
internal sealed partial class UpstreamRedirects(
    RegistryRouter router, TimeProvider time, ILogger<UpstreamRedirects> logger)
{
    private static readonly TimeSpan BetweenReports = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<UpstreamRegistry, long> _reported = new();

    /// <summary>Judges the <c>Location</c> of a redirect.</summary>
    /// <param name="registry">Whose it is.</param>
    /// <param name="location">The header's value.</param>
    /// <param name="target">Where it leads, unless it leads back.</param>
    public RedirectVerdict Judge(UpstreamRegistry registry, string location, out RedirectTarget? target) =>
        Judge(router, registry, location, out target);

    /// <inheritdoc cref="Judge(UpstreamRegistry, string, out RedirectTarget?)"/>
    public static RedirectVerdict Judge(
        RegistryRouter router, UpstreamRegistry registry, string location, out RedirectTarget? target)
    {
        if (!RedirectTarget.TryParse(location, out target))
        {
            return RedirectTarget.IsAbsolute(location) ? RedirectVerdict.Ambiguous : RedirectVerdict.Back;
        }

        // Our own hosts are not elsewhere: clients would send their credentials along, to a path, and even to plain
        // HTTP, of the upstream's choice. Nor is another replica of the registry, which clients are to reach through
        // here alone.
        if (router.FindHost(target.Authority) is not null || registry.Redirects.IsUpstream(target))
        {
            return RedirectVerdict.Back;
        }

        return registry.Redirects.Allows(target) ? RedirectVerdict.Elsewhere : RedirectVerdict.NotAllowed;
    }

    /// <summary>Tells the operator that a redirect was not allowed, and gives what to tell the client.</summary>
    public RegistryError Refused(UpstreamRegistry registry, RedirectTarget target)
    {
        // Every download meets it; a line a minute is enough.
        var now = time.GetTimestamp();
        if (!_reported.TryGetValue(registry, out var last) || time.GetElapsedTime(last, now) >= BetweenReports)
        {
            _reported[registry] = now;
            Log.NotAllowed(logger, registry.Name, target.Origin);
        }

        return UpstreamErrors.Redirect(target.Origin);
    }

    private static partial class Log
    {
        [LoggerMessage(1407, LogLevel.Error,
            "Registry {Registry} redirects downloads to {Origin}, which its \"redirects.allow\" does not allow: "
            + "the gateway answers them 502. Add that host, or turn off the registry's redirects. "
            + "Other requests are not affected.")]
        public static partial void NotAllowed(ILogger logger, string registry, string origin);
    }
}

/// <summary>What a redirect's <c>Location</c> is.</summary>
internal enum RedirectVerdict
{
    /// <summary>
    /// A path, or an address of the gateway or the upstream: it must lead to the repository, through here.
    /// </summary>
    Back,

    /// <summary>A server that the client may be sent to.</summary>
    Elsewhere,

    /// <summary>A server that it may not be sent to.</summary>
    NotAllowed,

    /// <summary>Written in a way that clients read differently.</summary>
    Ambiguous,
}
