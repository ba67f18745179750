using Gateway.Core.Tokens;
using Gateway.Server.Store.State;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>A token as the API and <c>gateway token --json</c> show it: everything but its secret.</summary>
internal sealed record TokenDocument(
    string Id,
    string Kind,
    string Owner,
    string Name,
    IReadOnlyList<string>? Scopes,
    string CreatedBy,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset? RevokedAt,
    DateTimeOffset? LastUsedAt,
    string? LastUsedFrom,
    string State)
{
    public static TokenDocument Of(StoredCredential credential, DateTimeOffset now) => new(
        credential.Id,
        NameOf(credential.Kind),
        credential.Owner.ToString(),
        credential.Name,
        credential.Limit is { } limit ? [.. limit.Entries.Select(static entry => entry.ToString())] : null,
        credential.CreatedBy,
        credential.CreatedAt,
        credential.ExpiresAt,
        credential.RevokedAt,
        credential.LastUsedAt,
        credential.LastUsedFrom?.ToString(),
        credential.StateAt(now) switch
        {
            TokenState.Active => "active",
            TokenState.Expired => "expired",
            _ => "revoked",
        });

    /// <summary>What a kind is called.</summary>
    public static string NameOf(CredentialKind kind) => kind switch
    {
        CredentialKind.Personal => "personal",
        CredentialKind.Robot => "robot",
        CredentialKind.Workload => "workload",
        CredentialKind.Session => "session",
        CredentialKind.Device => "device",
        _ => "refresh",
    };
}

/// <summary>A list of tokens.</summary>
internal sealed record TokenListDocument(IReadOnlyList<TokenDocument> Tokens);

/// <summary>A new token with its secret, which is shown only here, and the one it replaces.</summary>
internal sealed record IssuedTokenDocument(string Secret, TokenDocument Token, TokenDocument? Replaced)
{
    public static IssuedTokenDocument Of(CredentialOutcome.Issued issued, DateTimeOffset now) => new(
        issued.Secret.Reveal(),
        TokenDocument.Of(issued.Credential, now),
        issued.Replaced is { } replaced ? TokenDocument.Of(replaced, now) : null);

    /// <summary>Never the secret.</summary>
    public override string ToString() => "***";
}
