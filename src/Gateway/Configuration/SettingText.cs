namespace Gateway.Configuration;

/// <summary>Text of the operator's on its way into a message.</summary>
internal static class SettingText
{
    private const int LongestKey = 64;

    /// <summary>A key as it may stand inside a message: not endless.</summary>
    public static string Shorten(string key) => key.Length > LongestKey ? key[..LongestKey] + "…" : key;

    /// <summary>
    /// Hides what a URL may carry beside its place: user and password before the <c>@</c>, the query, the fragment.
    /// </summary>
    /// <remarks>
    /// Works on text that is no URL too: where a password made it malformed, that password must not be shown.
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

    /// <summary>The nearest of some words to a mistyped one, or <see langword="null"/> where none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        string? nearest = null;
        var least = int.MaxValue;
        foreach (var candidate in known)
        {
            var distance = Distance(word, candidate);
            // A third of the word may be wrong: "htpaswd" is htpasswd, while "key" is nobody's misspelling of "url".
            if (distance <= Math.Min(word.Length, candidate.Length) / 3 && distance < least)
            {
                (nearest, least) = (candidate, distance);
            }
        }

        return nearest;
    }

    // Optimal string alignment: insertions, deletions, substitutions, swapped neighbours; upper and lower case are one.
    private static int Distance(string left, string right)
    {
        if (Math.Abs(left.Length - right.Length) > right.Length)
        {
            return int.MaxValue; // so that a key of a megabyte costs nothing
        }

        var rows = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
        {
            rows[i, 0] = i;
        }

        for (var j = 0; j <= right.Length; j++)
        {
            rows[0, j] = j;
        }

        for (var i = 1; i <= left.Length; i++)
        {
            for (var j = 1; j <= right.Length; j++)
            {
                var cost = Same(left[i - 1], right[j - 1]) ? 0 : 1;
                var best = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && Same(left[i - 1], right[j - 2]) && Same(left[i - 2], right[j - 1]))
                {
                    best = Math.Min(best, rows[i - 2, j - 2] + 1);
                }

                rows[i, j] = best;
            }
        }

        return rows[left.Length, right.Length];
    }

    private static bool Same(char left, char right) => char.ToLowerInvariant(left) == char.ToLowerInvariant(right);
}
