using System.Buffers.Text;
using System.Security.Cryptography;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.Keys;

namespace Gateway.Server.Tokens.Service;

/// <summary>Issues access tokens: signed JWTs that this gateway, and a registry that trusts it, verify.</summary>
internal sealed partial class AccessTokenIssuer(
    ISigningKeys keys,
    RegistryRouter router,
    TokenOptions options,
    TimeProvider time,
    ILogger<AccessTokenIssuer> logger) : IAccessTokenIssuer
{
    /// <summary>
    /// The longest token issued, in characters: with the client's other headers it must pass through the proxies in
    /// between.
    /// </summary>
    public const int MaxLength = 12 * 1024;

    /// <inheritdoc/>
    /// <exception cref="AccessTokenException">The credential has expired, or the token would be too long.</exception>
    public AccessToken Issue(Principal principal, AccessScope granted, string audience)
    {
        var now = time.GetUtcNow();
        var issuedAt = WholeSeconds(now);
        var expiresAt = issuedAt + options.Lifetime;
        if (principal.ExpiresAt is { } end && end < expiresAt)
        {
            expiresAt = end; // exchanging a credential never prolongs it
        }

        expiresAt = WholeSeconds(expiresAt);
        if (expiresAt <= issuedAt)
        {
            throw new AccessTokenException("the credential has expired");
        }

        var claims = new AccessTokenClaims
        {
            Issuer = router.PublicHost.Origin,
            SubjectName = principal.Subject.Name,
            Audience = audience,
            IssuedAt = issuedAt,
            ExpiresAt = expiresAt,
            Id = NewId(),
            Access = granted,
            Holder = principal,
            CredentialExpiresAt = principal.ExpiresAt,
        };
        var text = CompactJws.Sign(keys.Current.ActiveAt(now), AccessTokenWriter.Write(claims).Span);
        if (text.Length > MaxLength)
        {
            // Never with fewer groups or claims: a deny, or the exception from one, may depend on any of them.
            var subject = principal.Subject;
            Log.TooLong(logger, subject, text.Length, subject.Groups.Count, subject.Claims.Count);
            throw new AccessTokenException(
                $"the access token would have {text.Length} characters, and at most {MaxLength} pass every proxy: ask "
                + $"for fewer repositories, or have the {subject.Groups.Count} groups and {subject.Claims.Count} "
                + "claims of your sign-in reduced");
        }

        return new AccessToken(text, expiresAt - issuedAt);
    }

    /// <summary>A <c>jti</c>: 128 random bits.</summary>
    public static string NewId()
    {
        Span<byte> id = stackalloc byte[16];
        RandomNumberGenerator.Fill(id);
        return Base64Url.EncodeToString(id);
    }

    /// <summary>The second that an instant lies in; never later than it.</summary>
    public static DateTimeOffset WholeSeconds(DateTimeOffset instant) =>
        DateTimeOffset.FromUnixTimeSeconds(instant.ToUnixTimeSeconds());

    private static partial class Log
    {
        [LoggerMessage(1101, LogLevel.Error,
            "No access token was issued to {Subject}: it would have {Length} characters, with {Groups} groups and "
            + "{Claims} claims. None of them is left out, since a deny rule may depend on it. Reduce the groups "
            + "and claims of the sign-in.")]
        public static partial void TooLong(ILogger logger, Subject subject, int length, int groups, int claims);
    }
}
