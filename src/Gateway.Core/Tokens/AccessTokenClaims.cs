using Gateway.Core.Authorization;

namespace Gateway.Core.Tokens;

/// <summary>What an access token says.</summary>
/// <remarks>
/// The claims of Distribution's token specification, and what a policy needs to judge the holder anew on every request.
/// Times are whole seconds (RFC 7519, section 2, <c>NumericDate</c>).
/// </remarks>
public sealed record AccessTokenClaims
{
    /// <summary>How far <c>nbf</c> lies before <c>iat</c>, for verifiers whose clock is behind.</summary>
    public static readonly TimeSpan BackDating = TimeSpan.FromSeconds(60);

    /// <summary><c>iss</c>: the origin of the public URL.</summary>
    public required string Issuer { get; init; }

    /// <summary><c>aud</c>: the one host it is for.</summary>
    public required string Audience { get; init; }

    /// <summary><c>jti</c>: random.</summary>
    public required string Id { get; init; }

    /// <summary><c>iat</c>.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary><c>exp</c>.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary><c>access</c>: what was granted.</summary>
    public required AccessScope Access { get; init; }

    /// <summary><c>sub</c>: the holder's name without its kind; empty for anonymous.</summary>
    public required string SubjectName { get; init; }

    /// <summary>
    /// The holder. <see langword="null"/> in tokens for upstreams, which the gateway itself must never accept: an
    /// upstream, its log and the network before it see them.
    /// </summary>
    public Principal? Holder { get; init; }

    /// <summary>When the credential that the token was issued for expires; <see langword="null"/>: never.</summary>
    public DateTimeOffset? CredentialExpiresAt { get; init; }
}
