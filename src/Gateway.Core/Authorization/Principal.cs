using Gateway.Core.Tokens;

namespace Gateway.Core.Authorization;

/// <summary>The authenticated caller together with the most that the presented credential allows.</summary>
/// <remarks>
/// Rights are never more than policy grants the <see cref="Subject"/> now; <see cref="Limit"/> and <see cref="Scope"/>
/// only take away. Instances are kept by caches and reused, since policy works out a subject's groups once for each.
/// </remarks>
public sealed record Principal
{
    /// <summary>The caller without credentials.</summary>
    public static readonly Principal Anonymous = new() { Subject = Subject.Anonymous };

    /// <summary>Who calls.</summary>
    public required Subject Subject { get; init; }

    /// <summary>
    /// What a personal access token or robot token is limited to; <see langword="null"/> where the credential has no
    /// limit of its own.
    /// </summary>
    public CredentialLimit? Limit { get; init; }

    /// <summary>
    /// What an access token was granted; <see langword="null"/> where the caller presented no access token.
    /// </summary>
    public AccessScope? Scope { get; init; }

    /// <summary>
    /// The id of the stored credential (personal, robot or refresh token) presented, or of the one behind the access
    /// token; <see langword="null"/> for a password.
    /// </summary>
    public string? CredentialId { get; init; }

    /// <summary>
    /// What the method judged the password by, such as a digest of the hash in force; <see langword="null"/> where a
    /// change of it does not revoke this credential. See <c>SubjectStanding</c>.
    /// </summary>
    public string? Evidence { get; init; }

    /// <summary>
    /// When the credential expires; nothing issued for it is valid longer. <see langword="null"/>: never.
    /// </summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When the access token was issued, by the issuer's clock; <see langword="null"/> without one.</summary>
    public DateTimeOffset? IssuedAt { get; init; }
}
