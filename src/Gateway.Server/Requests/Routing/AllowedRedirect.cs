using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Routing;

/// <summary>An item of <c>redirects.allow</c>: one server, or one port of every name below a domain.</summary>
internal sealed class AllowedRedirect
{
    private const string Plain = "http://";
    private const string Fix =
        "Write \"bucket.example.com\", \"minio.example.com:9000\", \"*.s3.example.com\" or, for plain HTTP, "
        + "\"http://minio:9000\".";

    private readonly bool _isEncrypted;
    private readonly string _host; // with its first dot where it is every name below a domain
    private readonly int _port;

    private AllowedRedirect(bool isEncrypted, string host, int port) =>
        (_isEncrypted, _host, _port) = (isEncrypted, host, port);

    /// <summary>Whether a redirect leads there.</summary>
    public bool Matches(RedirectTarget target) =>
        target.IsEncrypted == _isEncrypted && target.Port == _port
        && (_host[0] == '.'
            ? target.Host.Host.EndsWith(_host, StringComparison.Ordinal)
            : string.Equals(target.Host.Host, _host, StringComparison.Ordinal));

    /// <summary>Reads an item.</summary>
    /// <param name="text">The item.</param>
    /// <param name="allowed">What it means.</param>
    /// <param name="what">What is wrong with it, as the text after the key.</param>
    /// <param name="fix">The change that helps.</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out AllowedRedirect? allowed, out string what, out string fix)
    {
        (allowed, fix) = (null, Fix);
        if (text.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            (what, fix) = ("has the scheme https, which is the default",
                "Write host or host:port without \"https://\".");
            return false;
        }

        var isPlain = text.StartsWith(Plain, StringComparison.Ordinal);
        var rest = isPlain ? text[Plain.Length..] : text;
        var isDomain = rest.StartsWith("*.", StringComparison.Ordinal);
        var authority = isDomain ? rest[2..] : rest;
        if (authority.Contains('*', StringComparison.Ordinal))
        {
            what = "has a \"*\" that is not the whole first label of a domain";
            fix = "Write \"*.s3.example.com\", or list each host; leave redirects out to allow https to any host.";
            return false;
        }

        if (!HostName.TryParse(authority, out var host))
        {
            what = "is neither a host nor a host with a port";
            return false;
        }

        var isAddress = IPAddress.TryParse(host.Host, out _);
        if (isDomain && (isAddress || !host.Host.Contains('.', StringComparison.Ordinal)))
        {
            what = "is a wildcard for a top-level domain or an address";
            fix = "Write a domain of two labels or more, such as \"*.example.com\", or list each host.";
            return false;
        }

        var port = host.Port ?? RedirectTarget.DefaultPort(!isPlain);
        var canonical = string.Concat(
            isPlain ? Plain : "", isDomain ? "*." : "", host.Host,
            host.Port is { } number ? string.Create(CultureInfo.InvariantCulture, $":{number}") : "");
        if (!RedirectTarget.IsUsual(host) || text != canonical)
        {
            what = "is not written as redirects write it, so it would never match";
            fix = RedirectTarget.IsUsual(host)
                ? $"Write \"{canonical}\"."
                : "Write the address in its usual form, such as \"127.0.0.1\" or \"[2001:db8::1]\".";
            return false;
        }

        what = "";
        allowed = new AllowedRedirect(!isPlain, isDomain ? "." + host.Host : host.Host, port);
        return true;
    }
}
