namespace Gateway.Foundation.Configuration;

/// <summary>Finds the name that was probably meant by a mistyped one.</summary>
internal static class NearestName
{
    private const int MaxEdits = 2;
    private const int MaxShown = 20;

    /// <summary>The nearest known name, the first of equals; <see langword="null"/> if none is near.</summary>
    public static string? Find(string word, IEnumerable<string> known)
    {
        string? nearest = null;
        var least = int.MaxValue;
        foreach (var name in known)
        {
            // A third of the name may be wrong: "htpaswd" is htpasswd, while "key" is not a misspelling of "url",
            // and two letters are too few. Never more than two edits: long names may well share their beginning.
            var most = word.Length < 3 ? 0 : Math.Min(MaxEdits, name.Length / 3);
            var distance = Distance(word, name);
            if (distance <= most && distance < least)
            {
                (nearest, least) = (name, distance);
            }
        }

        return nearest;
    }

    /// <summary><c>Did you mean "rules"?</c>, or the known names.</summary>
    public static string Hint(string word, IEnumerable<string> known)
    {
        var names = known.Order(StringComparer.Ordinal).ToList();
        return Find(word, names) is { } nearest
            ? $"Did you mean \"{nearest}\"?"
            : $"Known: {string.Join(", ", names.Take(MaxShown))}.";
    }

    // Optimal string alignment: insertions, deletions, substitutions, swapped neighbours; case is ignored.
    private static int Distance(string left, string right)
    {
        if (Math.Abs(left.Length - right.Length) > MaxEdits)
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
