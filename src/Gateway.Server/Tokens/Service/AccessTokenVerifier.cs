using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Tokens;
using Gateway.Foundation.Caching;
using Gateway.Server.Requests.Routing;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;

namespace Gateway.Server.Tokens.Service;

/// <summary>Verifies access tokens: signed by one of this gateway's own keys, for this host, in force now.</summary>
/// <remarks>
/// What does not change is cached: the signature under a key, and what the token says. What changes is checked each
/// time: whether that key is still one of ours, the clock, and whether the holder is still good.
/// </remarks>
internal sealed class AccessTokenVerifier(
    ISigningKeys keys,
    RegistryRouter router,
    SubjectStanding standing,
    TokenOptions options,
    TimeProvider time) : IAccessTokenVerifier, IMeasuredCache
{
    /// <summary>How far the clocks of two machines may differ; Distribution allows the same.</summary>
    public static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    // About 2 kB each.
    private const int Remembered = 10_000;

    private readonly BoundedCache<SecretHash, Verified> _verified = new(Remembered);

    /// <inheritdoc/>
    public CacheLookups Lookups { get; } = new("access_tokens");

    /// <inheritdoc/>
    public AuthenticationResult Verify(string token, string audience, DateTimeOffset? continueUntil)
    {
        if (token.Length > CompactJws.MaxLength)
        {
            return new AuthenticationResult.Refused("it is too long");
        }

        var buffer = ArrayPool<byte>.Shared.Rent(token.Length);
        try
        {
            return Ascii.FromUtf16(token, buffer, out var length) == OperationStatus.Done
                ? Verify(buffer.AsSpan(0, length), audience, continueUntil)
                : new AuthenticationResult.Refused("it holds a character outside ASCII");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private AuthenticationResult Verify(ReadOnlySpan<byte> token, string audience, DateTimeOffset? continueUntil)
    {
        var ring = keys.Current;
        var now = time.GetUtcNow();
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(token, digest);
        var hash = SecretHash.FromBytes(digest);
        // A token may outlive its key in the cache, but it is not accepted.
        var isKnown = _verified.TryGet(hash, out var verified) && ring.Find(verified.KeyId) is not null;
        Lookups.Count(isKnown);
        if (!isKnown)
        {
            if (!CompactJws.TryVerify(token, ring, out var payload, out var key, out var fault))
            {
                return new AuthenticationResult.Refused(fault);
            }

            if (!AccessTokenReader.TryRead(payload, out var claims))
            {
                return new AuthenticationResult.Refused("its payload is not in the form that this gateway writes");
            }

            verified = new Verified(claims, key.Id);
        }

        if (FindFault(verified!.Claims, audience, now, continueUntil) is { } refused)
        {
            return refused;
        }

        if (!isKnown)
        {
            Remember(hash, verified, now);
        }

        return standing.FindFault(verified.Claims.Holder!) ?? verified.Result;
    }

    // Apart: the closure would be allocated for every token that is known.
    private void Remember(SecretHash hash, Verified verified, DateTimeOffset now) =>
        _verified.Add(hash, verified, old => now - old.Claims.ExpiresAt > Leeway);

    private AuthenticationResult.Refused? FindFault(
        AccessTokenClaims claims, string audience, DateTimeOffset now, DateTimeOffset? continueUntil)
    {
        if (claims.Issuer != router.PublicHost.Origin)
        {
            return new AuthenticationResult.Refused(
                "its iss is another gateway's", "it was issued under another public URL");
        }

        if (claims.Audience != audience)
        {
            return new AuthenticationResult.Refused("its aud is another host", "it is for another host");
        }

        // nbf needs no check: it is before iat, and the leeway is the same.
        if (claims.IssuedAt - now > Leeway)
        {
            return new AuthenticationResult.Refused("it is from the future: clocks differ", string.Create(
                CultureInfo.InvariantCulture,
                $"it was issued {Seconds(claims.IssuedAt - now)} s in the future by this gateway's clock; "
                + $"synchronize the clocks of the gateway's replicas"));
        }

        // No gateway issues such a one, whatever its settings: the key was used by someone else, or through a fault.
        if (claims.ExpiresAt - claims.IssuedAt > TokenOptions.LongestLifetime)
        {
            return new AuthenticationResult.Refused(
                "its lifetime exceeds that of any access token",
                "its lifetime exceeds what this gateway gives any access token");
        }

        // Without leeway: the end of a personal token is exact, and what was issued for it does not outlast it.
        if (claims.CredentialExpiresAt <= now)
        {
            return new AuthenticationResult.Refused(
                "the credential behind it has expired", "the credential that it was issued for expired");
        }

        var expired = now - claims.ExpiresAt;
        if (expired <= Leeway || IsContinued(claims, now, continueUntil))
        {
            return null;
        }

        return new AuthenticationResult.Refused("it has expired", string.Create(CultureInfo.InvariantCulture,
            $"it expired {Seconds(expired)} s ago by this gateway's clock; get a new one from the token "
            + $"endpoint; if this one is new, compare the clocks of the gateway's replicas"));
    }

    // An upload may continue with the token it started with. Two bounds, beside the expiry of the credential behind it:
    // the ticket's end; and the start of the ticket's window, at which the token must still have been good, so that a
    // ticket revives no token that had expired before the upload began.
    private bool IsContinued(AccessTokenClaims claims, DateTimeOffset now, DateTimeOffset? continueUntil) =>
        continueUntil is { } until
        && now <= until
        && claims.ExpiresAt + Leeway >= until - options.UploadWindow;

    private static long Seconds(TimeSpan time) => (long)time.TotalSeconds;

    // Every time the same instances: policy works out a subject's groups once for each.
    private sealed class Verified(AccessTokenClaims claims, string keyId)
    {
        public AccessTokenClaims Claims { get; } = claims;

        public string KeyId { get; } = keyId;

        public AuthenticationResult.Accepted Result { get; } = new(claims.Holder!);
    }
}
