namespace Gateway.Foundation.Configuration;

/// <summary>Text from the operator for use in a message.</summary>
internal static class SettingText
{
    private const int LongestKey = 64;

    /// <summary>A key for use in a message, shortened.</summary>
    public static string Shorten(string key) => key.Length > LongestKey ? key[..LongestKey] + "…" : key;

    /// <summary>
    /// Hides what a URL may hold besides its address: user and password before the <c>@</c>, the query, the fragment.
    /// </summary>
    /// <remarks>
    /// Works on text that is not a URL too: if a password made it malformed, that password must not be shown.
    /// </remarks>
    public static string WithoutUrlSecrets(string text)
    {
        var authority = text.IndexOf("://", StringComparison.Ordinal);
        authority = authority < 0 ? 0 : authority + 3;
        var user = text.LastIndexOf('@');
        if (user >= authority)
        {
            text = string.Concat(text.AsSpan(0, authority), "***", text.AsSpan(user));
        }

        var rest = text.AsSpan().IndexOfAny('?', '#');
        return rest < 0 ? text : string.Concat(text.AsSpan(0, rest + 1), "***");
    }

    /// <summary>The key of a property: <c>HstsMaxAge</c> is <c>hstsMaxAge</c> in the file.</summary>
    public static string KeyOf(string property) => char.ToLowerInvariant(property[0]) + property[1..];

    /// <summary>A choice as files write it: <c>debug</c>; names of standards are unchanged: <c>ES256</c>.</summary>
    public static string ChoiceOf(string name) => name.Any(char.IsAsciiLetterLower) ? KeyOf(name) : name;
}
