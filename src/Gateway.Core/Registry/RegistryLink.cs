using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Registry;

/// <summary>An upstream's <c>Link</c> to the next page of a list, for example
/// <c>&lt;/v2/_catalog?last=b%2Fc&amp;n=2&gt;; rel="next"</c>.</summary>
/// <param name="Last">The entry after which the next page begins, decoded.</param>
/// <param name="PageSize">The page's size, where the link has one.</param>
public sealed record RegistryLink(string Last, long? PageSize)
{
    /// <summary>Reads a <c>Link</c> header (RFC 8288) with one link.</summary>
    /// <param name="link">The header's value; an upstream's, which is not trusted either.</param>
    /// <param name="result">The link, or <see langword="null"/>.</param>
    /// <returns><see langword="false"/> for any other link than to a list's next page; it never throws.</returns>
    public static bool TryParse(string? link, [NotNullWhen(true)] out RegistryLink? result)
    {
        result = null;
        var text = link.AsSpan().Trim(' ');
        var end = text.IndexOf('>');
        if (!text.StartsWith('<') || end < 0 || !IsNext(text[(end + 1)..]))
        {
            return false;
        }

        var target = RegistryLocation.PathAndQuery(text[1..end]).ToString();
        if (RegistryRequestParser.Parse("GET", target).Request is not
            {
                Operation: RegistryOperation.ListCatalog or RegistryOperation.ListTags,
                Parameters: { Last: { } last } parameters,
            })
        {
            return false;
        }

        result = new RegistryLink(last, parameters.PageSize);
        return true;
    }

    // The parameters after the target: one of them has to be rel=next, in either spelling.
    private static bool IsNext(ReadOnlySpan<char> parameters)
    {
        foreach (var range in parameters.Split(';'))
        {
            var parameter = parameters[range].Trim(' ');
            if (parameter.Equals("rel=next", StringComparison.OrdinalIgnoreCase)
                || parameter.Equals("rel=\"next\"", StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
