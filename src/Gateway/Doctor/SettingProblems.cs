using Gateway.Foundation.Configuration;

namespace Gateway.Doctor;

/// <summary>Which of the doctor's problems a wrong setting belongs to.</summary>
internal static class SettingProblems
{
    // By the key that the problem begins with; the first match counts.
    private static readonly (string Key, ProblemKind? Kind, string Id)[] Known =
    [
        ("cors.", null, "COR001"),
        ("limits.", null, "LIM001"),
        ("tokens.lifetime", null, "TOK001"),
        ("tokens.refreshTokenLifetime", null, "TOK001"),
        ("authentication.ldap.", ProblemKind.Unencrypted, "LDP003"),
    ];

    /// <summary>The id.</summary>
    public static string IdOf(Problem problem)
    {
        foreach (var (key, kind, id) in Known)
        {
            if (problem.What.StartsWith(key, StringComparison.Ordinal) && (kind is null || kind == problem.Kind))
            {
                return id;
            }
        }

        return problem.Kind == ProblemKind.FileUnavailable ? "FIL002" : "CFG001";
    }

    /// <summary>What is wrong with it, and the value.</summary>
    public static string EvidenceOf(Problem problem) =>
        problem.Found is null ? problem.What : $"{problem.What} (found \"{problem.Found}\")";
}
