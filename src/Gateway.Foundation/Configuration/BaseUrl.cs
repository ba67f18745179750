namespace Gateway.Foundation.Configuration;

/// <summary>The rule for URLs that paths are appended to: scheme, host and port, and nothing else.</summary>
internal static class BaseUrl
{
    /// <summary>Reports each part that must not be there.</summary>
    public static void Check(Uri url, SettingScope scope)
    {
        // The text is checked, not System.Uri's form of it, which has already removed "/./" and an empty port.
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
            scope.Report("has a path", "Remove everything after the host: the distribution API is always at /v2/.");
        }

        if (path.Length < after.Length)
        {
            scope.Report("has a query or fragment", "Remove it, beginning with the \"?\" or \"#\".");
        }
    }
}
