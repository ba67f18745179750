using System.Net;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;

namespace Gateway.Server.Host.Hosting;

/// <summary>By which host names the management listener may be asked for more than whether the gateway works.</summary>
/// <remarks>
/// It has no password. A page in a browser of somebody who reaches it (on the same machine, say) can have its own name
/// resolve to the listener's address and then reads all answers as its own origin's (DNS rebinding). The name in the
/// request stays the page's, so other names than ours are told nothing; an address cannot be rebound.
/// </remarks>
internal sealed class ManagementHosts
{
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase) { "localhost" };

    public ManagementHosts(GatewayOptions options)
    {
        _names.UnionWith(options.Listen.ManagementHosts);
        foreach (var host in options.Hosts.Append(options.PublicUrl!.Authority))
        {
            if (HostName.TryParse(host, out var name))
            {
                _names.Add(name.Host);
            }
        }
    }

    /// <summary>
    /// Whether a request names the listener by an address, by a name of ours, or (as no browser does) not at all.
    /// </summary>
    public bool Contains(HostString host) =>
        host.Host is { Length: > 0 } name ? _names.Contains(name) || IsAddress(name) : !host.HasValue;

    // In the usual spelling alone: what else the system's parser takes for one ("127.1", "0x7f000001") a browser
    // rewrites.
    private static bool IsAddress(string name) =>
        IPAddress.TryParse(name is ['[', .. var inner, ']'] ? inner : name, out var address)
        && (name[0] == '[' || address.ToString() == name);
}
