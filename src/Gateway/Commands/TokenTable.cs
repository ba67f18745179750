using System.Globalization;
using Gateway.Server.Tokens.Credentials;

namespace Gateway.Commands;

/// <summary>Lists tokens for a terminal.</summary>
internal static class TokenTable
{
    private static readonly string[] Titles =
        ["ID", "KIND", "OWNER", "NAME", "STATE", "CREATED", "EXPIRES", "LAST USED", "FROM", "SCOPES"];

    /// <summary>One line for the titles and one for each token; no lines without tokens.</summary>
    public static IEnumerable<string> Format(IReadOnlyList<TokenDocument> tokens)
    {
        if (tokens.Count == 0)
        {
            return [];
        }

        return TextTable.Format([Titles, .. tokens.Select(Cells)]);
    }

    /// <summary>A time, to the minute: <c>2026-11-21 08:42Z</c>.</summary>
    public static string Format(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);

    private static string[] Cells(TokenDocument token) =>
    [
        token.Id,
        token.Kind,
        token.Owner,
        token.Name,
        token.State,
        Format(token.CreatedAt),
        Format(token.ExpiresAt),
        token.LastUsedAt is { } used ? Format(used) : "never",
        token.LastUsedFrom ?? "-",
        token.Scopes is { } scopes ? string.Join(' ', scopes) : "everything its owner may do",
    ];
}
