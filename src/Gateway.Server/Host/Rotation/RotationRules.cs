using Gateway.Core.Tokens;
using Gateway.Foundation.Certificates;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Host.Rotation;

/// <summary>When a secret is due to be replaced. The doctor, the metrics and the log say the same by it.</summary>
internal static class RotationRules
{
    /// <summary>The age at which a signing key is due that does not rotate automatically.</summary>
    public static readonly TimeSpan KeyAge = TimeSpan.FromDays(365);

    /// <summary>The age at which a secret in a file of its own is due.</summary>
    public static readonly TimeSpan SecretAge = TimeSpan.FromDays(365);

    private static readonly TimeSpan TokenNotice = TimeSpan.FromDays(7);

    // What rotates automatically may take its time before it counts as forgotten.
    private static readonly TimeSpan Grace = TimeSpan.FromDays(1);

    /// <summary>
    /// Whether a signing key has signed for too long. An operator's own key is the operator's to watch.
    /// </summary>
    public static bool IsDue(SigningKey key, TokenOptions options, DateTimeOffset now) =>
        key.CreatedAt is not null
        && now - key.ActiveFrom > (options.Keys.RotateAfter > TimeSpan.Zero
            ? options.Keys.RotateAfter + Grace
            : KeyAge);

    /// <summary>Whether a password is hashed below what "gateway user add" does today.</summary>
    public static bool IsDue(PasswordHash hash) => hash.Scheme switch
    {
        HashScheme.Bcrypt => hash.Cost < PasswordRules.TodaysBcryptCost,
        HashScheme.Yescrypt => hash.Cost < PasswordRules.TodaysYescryptCost,
        _ => true, // SHA-crypt is accepted for moving in only
    };

    /// <summary>
    /// Whether a personal or robot token expires within a week, and within the last quarter of its lifetime.
    /// </summary>
    public static bool IsDue(StoredCredential credential, DateTimeOffset now) =>
        IsInUse(credential, now)
        && credential.ExpiresAt - now < TokenNotice
        && credential.ExpiresAt - now < (credential.ExpiresAt - credential.CreatedAt) / 4;

    /// <summary>Whether it is a personal or robot token that is good now.</summary>
    public static bool IsInUse(StoredCredential credential, DateTimeOffset now) =>
        credential.Kind is CredentialKind.Personal or CredentialKind.Robot && credential.RevokedAt is null
        && credential.ExpiresAt > now;

    /// <summary>
    /// Whether a certificate expires soon: within three weeks, or in the last quarter of a shorter lifetime.
    /// </summary>
    public static bool IsDue(DateTimeOffset begin, DateTimeOffset end, DateTimeOffset now) =>
        CertificateExpiry.IsNear(begin, end, now);

    /// <summary>Whether a served certificate expires soon.</summary>
    public static bool IsDue(ServedCertificate certificate, DateTimeOffset now) =>
        IsDue(certificate.NotBefore, certificate.NotAfter, now);
}
