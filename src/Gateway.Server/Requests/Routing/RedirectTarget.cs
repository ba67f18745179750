using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Routing;

/// <summary>Which server an absolute <c>Location</c> leads to.</summary>
/// <remarks>
/// Clients follow the text as it is, since its query is signed, each with a URL parser of its own. So it is read here
/// in one narrow form, of which every parser makes the same host: no user name, no backslash, nothing outside printable
/// ASCII, and host and port in their usual spelling.
/// </remarks>
/// <param name="IsEncrypted">Whether it is https.</param>
/// <param name="Host">The host, and the port where one is written.</param>
internal sealed record RedirectTarget(bool IsEncrypted, HostName Host)
{
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create(
            [.. Enumerable.Range('!', '~' - '!' + 1).Select(static c => (char)c).Where(static c => c != '\\')]);

    /// <summary>The port that clients connect to.</summary>
    public int Port => Host.Port ?? DefaultPort(IsEncrypted);

    /// <summary>Host and port, without the scheme's own.</summary>
    public string Authority => Port == DefaultPort(IsEncrypted)
        ? Host.Host
        : string.Create(CultureInfo.InvariantCulture, $"{Host.Host}:{Port}");

    /// <summary>Scheme, host and port: <c>https://bucket.example.com</c>.</summary>
    public string Origin => (IsEncrypted ? "https://" : "http://") + Authority;

    /// <summary>Whether a <c>Location</c> names a server at all.</summary>
    public static bool IsAbsolute(string location) =>
        location.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
        || location.StartsWith("http://", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads an absolute <c>Location</c>.</summary>
    /// <param name="location">The header's value; an upstream's, which is not trusted.</param>
    /// <param name="target">Where it leads.</param>
    /// <returns><see langword="false"/> for every other form; it never throws.</returns>
    public static bool TryParse(string location, [NotNullWhen(true)] out RedirectTarget? target)
    {
        target = null;
        if (!IsAbsolute(location) || location.AsSpan().ContainsAnyExcept(Allowed))
        {
            return false;
        }

        var start = location.IndexOf("//", StringComparison.Ordinal) + 2;
        var end = location.IndexOf('/', start);
        var authority = end < 0 ? location[start..] : location[start..end];
        if (!HostName.TryParse(authority, out var host) || !IsUsual(host)
            || !string.Equals(host.ToString(), authority, StringComparison.OrdinalIgnoreCase)) // "host:0443"
        {
            return false;
        }

        target = new RedirectTarget(location["http".Length] is 's' or 'S', host);
        return true;
    }

    /// <summary>The port of a scheme.</summary>
    public static int DefaultPort(bool isEncrypted) => isEncrypted ? 443 : 80;

    /// <summary>
    /// Whether a host is spelled as everybody spells it. Browsers take a name whose last part is a number for an IPv4
    /// address (URL standard, "ends in a number"), such as 127.1 or 0x7f000001; others do not.
    /// </summary>
    public static bool IsUsual(HostName host)
    {
        if (host.Host is ['[', .. var inner, ']'])
        {
            return IPAddress.TryParse(inner, out var bracketed) && bracketed.ToString() == inner;
        }

        var last = host.Host[(host.Host.LastIndexOf('.') + 1)..];
        var isNumber = last.All(char.IsAsciiDigit) || last.StartsWith("0x", StringComparison.Ordinal);
        return !isNumber || (IPAddress.TryParse(host.Host, out var address) && address.ToString() == host.Host);
    }
}
