namespace Gateway.Authorization;

/// <summary>Finds the name that was probably meant.</summary>
internal static class NearestName
{
    /// <summary>The known name within two edits (one for short names), or <see langword="null"/>.</summary>
    public static string? Of(string text, IEnumerable<string> known) => known
        .Select(name => (Name: name, Distance: Distance(text, name)))
        .Where(candidate => candidate.Distance <= (candidate.Name.Length > 5 ? 2 : 1))
        .OrderBy(static candidate => candidate.Distance)
        .ThenBy(static candidate => candidate.Name, StringComparer.Ordinal)
        .FirstOrDefault().Name;

    /// <summary><c>Did you mean "rules"?</c>, or the names there are.</summary>
    public static string Hint(string text, IEnumerable<string> known)
    {
        var names = known.Order(StringComparer.Ordinal).ToList();
        return Of(text, names) is { } nearest
            ? $"Did you mean \"{nearest}\"?"
            : $"Known: {string.Join(", ", names.Take(20))}.";
    }

    // Insert, remove, replace, and swap of neighbours count one each.
    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > 2)
        {
            return int.MaxValue;
        }

        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                rows[i, j] = i == 0 || j == 0
                    ? i + j
                    : Math.Min(
                        Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1,
                        rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }
}
