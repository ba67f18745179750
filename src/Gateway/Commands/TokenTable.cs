using System.Globalization;
using Gateway.Server.Tokens.Credentials;

namespace Gateway.Commands;

/// <summary>Lists tokens for a terminal.</summary>
internal static class TokenTable
{
    private static readonly string[] Titles =
        ["ID", "KIND", "OWNER", "NAME", "STATE", "CREATED", "EXPIRES", "LAST USED", "FROM", "SCOPES"];

    /// <summary>One line for the titles and one a token; none at all without tokens.</summary>
    public static IEnumerable<string> Format(IReadOnlyList<TokenDocument> tokens)
    {
        if (tokens.Count == 0)
        {
            return [];
        }

        return TextTable.Format([Titles, .. tokens.Select(Cells)]);
    }

    /// <summary>An instant, to the minute: <c>2026-11-21 08:42Z</c>.</summary>
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
        token.Scopes is { } scopes ? string.Join(' ', scopes) : "everything its owner may",
    ];
}
