using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;

namespace Gateway.Server.Store.State;

/// <summary>A credential that the gateway issued and keeps: everything but the secret itself.</summary>
internal sealed record StoredCredential
{
    /// <summary>Its public name in lists, records and access tokens; never reused.</summary>
    public required string Id { get; init; }

    public required CredentialKind Kind { get; init; }

    /// <summary>What its secret hashes to.</summary>
    public required SecretHash Hash { get; init; }

    /// <summary>
    /// What recognizes a secret that is presented in another form: the hash of what an ID token says, without its
    /// signature. It proves nothing by itself, since what a token says is no secret. <see langword="null"/> for secrets
    /// of one form.
    /// </summary>
    public SecretHash? Identity { get; init; }

    /// <summary>What its creator called it: <c>laptop</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Whose it is; the subject of the caller who presents it.</summary>
    public required Subject Owner { get; init; }

    /// <summary>What it may do at most; <see langword="null"/> for all that its owner may.</summary>
    public CredentialLimit? Limit { get; init; }

    /// <summary>What the owner's password was judged by, where a new password revokes the credential.</summary>
    public string? Evidence { get; init; }

    /// <summary>The audience it is bound to; refresh tokens only.</summary>
    public string? Service { get; init; }

    /// <summary>Who created it: <c>user:alice</c>, <c>operator</c>.</summary>
    public required string CreatedBy { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>
    /// Until when it is remembered at least, however early it ends: an ID token that is good at its issuer would be
    /// judged anew where nobody remembers that it was revoked. <see langword="null"/>: there is nothing to judge anew.
    /// </summary>
    public DateTimeOffset? KeptUntil { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>When and from where it was used last, as far as known: it is written every few seconds only.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    public IPAddress? LastUsedFrom { get; init; }
}
