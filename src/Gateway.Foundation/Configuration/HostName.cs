using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gateway.Foundation.Configuration;

/// <summary>
/// A host as clients name it in a request: <c>registry.example.com</c>, <c>localhost:8443</c>, <c>[::1]:8443</c>.
/// </summary>
/// <param name="Host">Lower case; an IPv6 address is in brackets.</param>
/// <param name="Port">The port, or <see langword="null"/> where none was written.</param>
internal sealed record HostName(string Host, int? Port)
{
    /// <summary>What to write instead of something that is not a host name.</summary>
    public const string Fix = "Write host or host:port, for example \"registry.example.com\"; no scheme, no path.";

    private const int LongestName = 253;
    private const int LongestLabel = 63;

    /// <summary>Reads a host name with or without a port.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out HostName? host)
    {
        host = null;
        var colon = text.EndsWith(']') ? -1 : text.LastIndexOf(':');
        var name = colon < 0 ? text : text[..colon];
        int? port = null;
        if (colon >= 0)
        {
            if (!TryParsePort(text.AsSpan(colon + 1), out var number) || number == 0)
            {
                return false;
            }

            port = number;
        }

        if (!IsBracketedAddress(name) && !IsName(name))
        {
            return false;
        }

        host = new HostName(name.ToLowerInvariant(), port);
        return true;
    }

    /// <summary>Reads a port: digits only, 0 to 65535.</summary>
    public static bool TryParsePort(ReadOnlySpan<char> text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port)
        && port <= IPEndPoint.MaxPort && text.Length <= 5;

    /// <inheritdoc/>
    public override string ToString() =>
        Port is null ? Host : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    private static bool IsBracketedAddress(string name) =>
        name is ['[', .. var inner, ']'] && !inner.AsSpan().ContainsAny('%', '[')
        && IPAddress.TryParse(inner, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;

    // Names of DNS, of Docker networks (which may hold "_") and IPv4 addresses.
    private static bool IsName(string name) => name.Length is > 0 and <= LongestName
        && name.Split('.').All(static label => label.Length is > 0 and <= LongestLabel
            && label.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
}
