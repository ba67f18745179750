namespace Gateway.Core.Authorization;

/// <summary>Whom a <see cref="SubjectSelector"/> picks.</summary>
public enum SubjectSelectorKind
{
    /// <summary>Every caller, with or without credentials.</summary>
    Everyone,

    /// <summary>Every caller with credentials.</summary>
    Authenticated,

    /// <summary>Callers without credentials.</summary>
    Anonymous,

    /// <summary>One person.</summary>
    User,

    /// <summary>One service account.</summary>
    Robot,

    /// <summary>The members of a group.</summary>
    Group,

    /// <summary>Workloads that one configured issuer confirmed.</summary>
    Issuer,
}

/// <summary>
/// One entry of <c>to</c> or <c>unless</c>: <c>user:alice</c>, <c>group:team-a</c>, <c>authenticated</c>.
/// </summary>
/// <param name="Kind">Whom it picks.</param>
/// <param name="Name">The name, compared exactly and case-sensitive; empty for the kinds that have none.</param>
public readonly record struct SubjectSelector(SubjectSelectorKind Kind, string Name)
{
    private static readonly (string Prefix, SubjectSelectorKind Kind)[] Named =
    [
        ("user:", SubjectSelectorKind.User),
        ("robot:", SubjectSelectorKind.Robot),
        ("group:", SubjectSelectorKind.Group),
        ("issuer:", SubjectSelectorKind.Issuer),
    ];

    /// <summary>What a selector may be, for messages.</summary>
    public const string Forms =
        "user:NAME, robot:NAME, group:NAME, issuer:NAME, authenticated, anonymous or everyone";

    /// <summary>Reads one selector. It never throws.</summary>
    public static bool TryParse(string text, out SubjectSelector selector)
    {
        switch (text)
        {
            case "everyone":
                selector = new(SubjectSelectorKind.Everyone, "");
                return true;
            case "authenticated":
                selector = new(SubjectSelectorKind.Authenticated, "");
                return true;
            case "anonymous":
                selector = new(SubjectSelectorKind.Anonymous, "");
                return true;
        }

        foreach (var (prefix, kind) in Named)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                selector = new(kind, text[prefix.Length..]);
                return IsName(selector.Name);
            }
        }

        selector = default;
        return false;
    }

    /// <summary>
    /// Whether a text can name a user, robot, group or issuer: 1 to 256 characters, no control or outer space.
    /// </summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= 256 && !text.Any(char.IsControl) && text.Trim().Length == text.Length;

    /// <summary>As written in a policy: <c>group:team-a</c>.</summary>
    public override string ToString() => Kind switch
    {
        SubjectSelectorKind.Everyone => "everyone",
        SubjectSelectorKind.Authenticated => "authenticated",
        SubjectSelectorKind.Anonymous => "anonymous",
        SubjectSelectorKind.User => "user:" + Name,
        SubjectSelectorKind.Robot => "robot:" + Name,
        SubjectSelectorKind.Group => "group:" + Name,
        _ => "issuer:" + Name,
    };
}
