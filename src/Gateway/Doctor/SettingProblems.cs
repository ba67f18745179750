using Gateway.Foundation.Configuration;

namespace Gateway.Doctor;

/// <summary>Which of the doctor's problems a wrong setting belongs to.</summary>
internal static class SettingProblems
{
    // By the key that the problem begins with; the first match counts.
    private static readonly (string Key, string Word, string Id)[] Known =
    [
        ("cors.", "", "COR001"),
        ("limits.", "", "LIM001"),
        ("tokens.lifetime", "", "TOK001"),
        ("tokens.refreshTokenLifetime", "", "TOK001"),
        ("authentication.ldap.", "allowPlain", "LDP003"),
        ("authentication.ldap.", "unencrypted", "LDP003"),
    ];

    /// <summary>The id.</summary>
    public static string IdOf(Problem problem)
    {
        foreach (var (key, word, id) in Known)
        {
            if (problem.What.StartsWith(key, StringComparison.Ordinal)
                && (problem.What.Contains(word, StringComparison.OrdinalIgnoreCase)
                || problem.Fix.Contains(word, StringComparison.OrdinalIgnoreCase)))
            {
                return id;
            }
        }

        return problem.What.Contains("permission denied", StringComparison.Ordinal) ? "FIL002" : "CFG001";
    }

    /// <summary>What is wrong with it, and the value.</summary>
    public static string EvidenceOf(Problem problem) =>
        problem.Found is null ? problem.What : $"{problem.What} (found \"{problem.Found}\")";
}
