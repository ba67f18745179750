namespace Gateway.Foundation.Configuration;

/// <summary>The rule for URLs that paths are appended to: scheme, host and port, and nothing else.</summary>
internal static class BaseUrl
{
    /// <summary>Reports each part that must not be there.</summary>
    public static void Check(Uri url, SettingScope scope)
    {
        // The text is judged, not what System.Uri made of it: that has already folded "/./" and an empty port away.
        var text = url.OriginalString;
        var rest = text.AsSpan(text.IndexOf("://", StringComparison.Ordinal) + 3);
        var authority = rest[..(rest.IndexOfAny('/', '?', '#') is var end and >= 0 ? end : rest.Length)];
        var after = rest[authority.Length..];
        if (authority.Contains('@'))
        {
            scope.Report("holds a user name or password", "Remove everything before the \"@\".");
        }

        if (url.Host.Length == 0 || url.Port is 0 || authority.EndsWith(":"))
        {
            scope.Report("has no usable host and port", "Write it as https://host or https://host:port.");
        }

        var path = after[..(after.IndexOfAny('?', '#') is var query and >= 0 ? query : after.Length)];
        if (path is not ("" or "/"))
        {
            scope.Report("has a path", "Remove what follows the host: the distribution API always lies at /v2/.");
        }

        if (path.Length < after.Length)
        {
            scope.Report("has a query or fragment", "Remove it, beginning with the \"?\" or \"#\".");
        }
    }
}
