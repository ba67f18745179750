using System.Diagnostics.CodeAnalysis;

namespace Gateway.Foundation.Trust;

/// <summary>A registry as in the names of clients' folders: with the port, unless it is 443.</summary>
/// <param name="Text"><c>registry.example.com</c>, <c>registry.example.com:8443</c>.</param>
internal sealed record RegistryName(string Text)
{
    private const int LongestLabel = 63;

    /// <summary>Its address.</summary>
    public string Url => "https://" + Text;

    /// <summary>
    /// The same for names that allow only letters, digits and dashes: <c>registry-example-com-8443</c>.
    /// </summary>
    public string Slug
    {
        get
        {
            var slug = string.Concat(Text.Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
            return slug.Length <= LongestLabel - 6 ? slug : slug[..(LongestLabel - 6)].TrimEnd('-');
        }
    }

    /// <summary>Whether it has a port.</summary>
    public bool HasPort => Text.LastIndexOf(':') > Text.LastIndexOf(']');

    /// <summary>Reads <c>HOST[:PORT]</c>, with or without <c>https://</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">The name.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out RegistryName? name)
    {
        name = null;
        if (!RegistryUrl.TryParse(text, out var url) || url.Scheme != Uri.UriSchemeHttps)
        {
            return false;
        }

        // It becomes the name of a folder.
        var authority = url.HostNameType == UriHostNameType.Dns && !url.IsDefaultPort
            ? FormattableString.Invariant($"{url.IdnHost}:{url.Port}")
            : url.HostNameType == UriHostNameType.Dns ? url.IdnHost : url.Authority;
        if (authority.StartsWith('.') || authority.StartsWith('-')
            || authority.Any(
                static c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_' or ':' or '[' or ']')))
        {
            return false;
        }

        name = new RegistryName(authority);
        return true;
    }
}
