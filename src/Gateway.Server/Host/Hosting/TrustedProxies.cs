using System.Net;
using Gateway.Server.Host.Configuration;
using Microsoft.AspNetCore.HttpOverrides;

namespace Gateway.Server.Host.Hosting;

/// <summary>Believes <c>X-Forwarded-For</c> from listed load balancers only, counted from the right.</summary>
internal static class TrustedProxies
{
    public static void Configure(ForwardedHeadersOptions forwarded, GatewayOptions options)
    {
        // The address alone: scheme and host come from the configuration.
        forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor;
        forwarded.ForwardLimit = null; // hop by hop, as long as the hop before is a listed proxy
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var text in options.TrustedProxies)
        {
            if (IPAddress.TryParse(text, out var address))
            {
                forwarded.KnownProxies.Add(address);
            }
            else
            {
                forwarded.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(text));
            }
        }
    }
}
