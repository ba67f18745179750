using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Cors;

/// <summary>Pages that may use the registry: those of one origin, or of every name below a domain.</summary>
/// <remarks>
/// An origin is compared as the text that browsers send (HTML standard, "ASCII serialisation of an origin"), and never
/// taken apart by a URL parser: what two parsers read differently must not grant access.
/// </remarks>
internal sealed class AllowedOrigin
{
    private const string Fix = "Write it as browsers send it: \"https://ui.example.com\" or \"http://localhost:8080\".";
    private const int LongestOrigin = 300;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyz-_.");

    private readonly string _before;
    private readonly string? _after;

    private AllowedOrigin(string before, string? after)
    {
        _before = before;
        _after = after;
    }

    /// <summary>The origin itself; <see langword="null"/> where it is every name below a domain.</summary>
    public string? Exact => _after is null ? _before : null;

    /// <summary>Whether a page is one of these.</summary>
    /// <param name="origin">What a browser sent; untrusted.</param>
    public bool Matches(string origin)
    {
        if (_after is null)
        {
            return string.Equals(origin, _before, StringComparison.Ordinal);
        }

        // "https://" + names + ".example.com:8443": the dot keeps out evilexample.com, the end example.com.evil.org.
        var length = origin.Length - _before.Length - _after.Length;
        if (length <= 0 || origin.Length > LongestOrigin
            || !origin.StartsWith(_before, StringComparison.Ordinal)
            || !origin.EndsWith(_after, StringComparison.Ordinal))
        {
            return false;
        }

        // No other character: "https://evil.org/.example.com" is no origin, but nobody should have to rely on that.
        var names = origin.AsSpan(_before.Length, length);
        return names[0] != '.' && names[^1] != '.' && !names.ContainsAnyExcept(NameCharacters);
    }

    /// <summary>Reads an item of <c>cors.origins</c> other than <c>*</c>.</summary>
    /// <param name="text">The item.</param>
    /// <param name="origin">What it means.</param>
    /// <param name="what">What is wrong with it, as the text after the key.</param>
    /// <param name="fix">The change that helps.</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out AllowedOrigin? origin, out string what, out string fix)
    {
        (origin, fix) = (null, Fix);
        var colon = text.IndexOf("://", StringComparison.Ordinal);
        var scheme = colon < 0 ? "" : text[..colon].ToLowerInvariant();
        if (scheme is not ("https" or "http"))
        {
            what = text == "null"
                ? "is what browsers send for pages that have no origin: files, and frames that any page can create"
                : colon < 0 ? "has no scheme" : "is not an origin of http or https";
            return false;
        }

        var rest = text[(colon + "://".Length)..];
        if (rest.Contains('@', StringComparison.Ordinal))
        {
            (what, fix) = ("holds a user name or password", "Remove everything before the \"@\".");
            return false;
        }

        if (rest.AsSpan().IndexOfAny('/', '?', '#') is var end and >= 0)
        {
            what = end == rest.Length - 1 && rest[end] == '/' ? "ends with a slash" : "has a path, query or fragment";
            fix = "Remove everything after host and port: an origin ends there.";
            return false;
        }

        var isDomain = rest.StartsWith("*.", StringComparison.Ordinal);
        var authority = isDomain ? rest[2..] : rest;
        if (authority.Contains('*', StringComparison.Ordinal))
        {
            what = "has a \"*\" that is not the whole first label of a domain";
            fix = "Write \"https://*.example.com\", or list each origin.";
            return false;
        }

        return TryParseHost(text, scheme, authority, isDomain, out origin, out what, out fix);
    }

    private static bool TryParseHost(
        string text,
        string scheme,
        string authority,
        bool isDomain,
        [NotNullWhen(true)] out AllowedOrigin? origin,
        out string what,
        out string fix)
    {
        (origin, fix) = (null, Fix);
        if (!HostName.TryParse(authority, out var host))
        {
            what = "has no usable host and port";
            fix = Fix + " Write other letters in their \"xn--\" form.";
            return false;
        }

        var isAddress = IPAddress.TryParse(host.Host, out var address);
        if (isDomain && (isAddress || !host.Host.Contains('.', StringComparison.Ordinal)))
        {
            what = "is a wildcard for a top-level domain or an address";
            fix = "Write a domain of two labels or more, such as \"https://*.example.com\", or list each origin.";
            return false;
        }

        var name = isDomain ? "." + host.Host : isAddress ? Canonical(address!) : host.Host;
        var port = host.Port is not { } number || number == (scheme == "https" ? 443 : 80)
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $":{number}");
        var canonical = $"{scheme}://{(isDomain ? "*" : "")}{name}{port}";
        if (text != canonical)
        {
            what = "is not written as browsers send it, so it would never match";
            fix = $"Write \"{canonical}\".";
            return false;
        }

        what = "";
        origin = isDomain ? new AllowedOrigin(scheme + "://", name + port) : new AllowedOrigin(text, null);
        return true;
    }

    private static string Canonical(IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString();
}
