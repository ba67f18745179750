using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gateway.Server.Host.Hosting;

/// <summary>
/// An address or a network of clients or proxies as it is written in the configuration: <c>10.0.0.7</c>,
/// <c>fd00::/8</c>.
/// </summary>
internal static class ClientNetwork
{
    private const string Usual = "Write an address (10.0.0.7) or a network (10.0.0.0/8, fd00::/8).";

    /// <summary>Reads it; a lone address is a network of one.</summary>
    /// <param name="text">The text.</param>
    /// <param name="network">The network, its host bits zero.</param>
    /// <param name="what">What is wrong with the text, as the text after a key.</param>
    /// <param name="fix">What to write instead.</param>
    public static bool TryParse(string text, out IPNetwork network, out string what, out string fix)
    {
        network = default;
        (what, fix) = ("is neither an address nor a network", Usual);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var addressText = slash < 0 ? text : text[..slash];
        if (!IPAddress.TryParse(addressText, out var address) || !IsUsualSpelling(address, addressText))
        {
            return false;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            // Client addresses are never in this form when they are compared: such a network would trust nobody, or,
            // read differently one day, all of IPv4.
            what = "is an IPv4 address in an IPv6 spelling";
            fix = $"Write it as IPv4, for example \"{address.MapToIPv4()}\".";
            return false;
        }

        var longest = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var length = longest;
        if (slash >= 0
            && !(int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out length)
                && length <= longest))
        {
            return false;
        }

        network = new IPNetwork(address, length); // clears the host bits
        if (!network.BaseAddress.Equals(address))
        {
            what = "is an address inside a network";
            fix = $"Write \"{network}\" for the network or \"{address}\" for the address.";
            return false;
        }

        return true;
    }

    private static bool IsUsualSpelling(IPAddress address, string text) => address.AddressFamily switch
    {
        // "10.1" and "010.0.0.1" mean different addresses to different programs.
        AddressFamily.InterNetwork => address.ToString() == text,
        _ => !text.AsSpan().ContainsAny('%', '[', ']'),
    };
}
