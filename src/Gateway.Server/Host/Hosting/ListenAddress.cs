using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Host.Hosting;

/// <summary>Where a listener is bound: <c>*:8443</c>, <c>127.0.0.1:8443</c> or <c>[::1]:8443</c>.</summary>
/// <param name="Address">
/// The address, or <see langword="null"/> for every address of the machine (<c>*</c>), IPv4 and IPv6.
/// </param>
/// <param name="Port">1 to 65535, or 0 for any free port.</param>
internal sealed record ListenAddress(IPAddress? Address, int Port)
{
    /// <summary>
    /// Reads an address as it is written in the configuration. Names are refused: what they resolve to may change.
    /// </summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out ListenAddress? listen)
    {
        listen = null;
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !HostName.TryParsePort(text.AsSpan(colon + 1), out var port))
        {
            return false;
        }

        var host = text[..colon];
        if (host == "*")
        {
            listen = new ListenAddress(null, port);
        }
        else if (ParseAddress(host) is { } address)
        {
            listen = new ListenAddress(address, port);
        }

        return listen is not null;
    }

    /// <summary>Reads an address that was validated.</summary>
    /// <exception cref="FormatException">It is not one.</exception>
    public static ListenAddress Parse(string text) =>
        TryParse(text, out var listen) ? listen : throw new FormatException($"\"{text}\" is no listen address");

    /// <summary>Whether both cannot be bound at the same time.</summary>
    public bool CollidesWith(ListenAddress other) =>
        Port != 0 && Port == other.Port && (Covers(other) || other.Covers(this));

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address switch
    {
        null => "*",
        { AddressFamily: AddressFamily.InterNetworkV6 } => $"[{Address}]",
        _ => Address.ToString(),
    }}:{Port}");

    private static IPAddress? ParseAddress(string host)
    {
        if (host is ['[', .. var inner, ']'])
        {
            return !inner.Contains('[', StringComparison.Ordinal) && IPAddress.TryParse(inner, out var v6)
                && v6.AddressFamily == AddressFamily.InterNetworkV6 ? v6 : null;
        }

        // "127.1" and "0x7f000001" are addresses to the system as well; only the usual spelling is one here.
        return IPAddress.TryParse(host, out var v4)
            && v4.AddressFamily == AddressFamily.InterNetwork && v4.ToString() == host ? v4 : null;
    }

    private bool Covers(ListenAddress other) => Address is null
        || Address.Equals(other.Address)
        || Address.Equals(IPAddress.IPv6Any) // bound for both families
        || (Address.Equals(IPAddress.Any) && other.Address?.AddressFamily == AddressFamily.InterNetwork);
}
