using System.Globalization;
using System.Text.Json;
using Gateway.Core.Tokens;
using Gateway.Foundation.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Server.SignIn.Issuers;

/// <summary>Verifies ID tokens of outside issuers (OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725).</summary>
/// <remarks>
/// The library checks the signature, with the one key and algorithm chosen here. A key that a token brings along
/// (<c>jwk</c>, <c>jku</c>, <c>x5c</c>, <c>x5u</c>) is ignored.
/// </remarks>
internal sealed class IdTokenVerifier(TimeProvider time)
{
    /// <summary>How far the clocks of two machines may differ.</summary>
    public static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    // Of an issuer that gives its keys no names.
    private const int MostTried = 4;

    private const string SetClocks = "Synchronize both machines' clocks with NTP.";

    private static readonly JsonWebTokenHandler Handler = new();

    /// <summary>Verifies one.</summary>
    /// <param name="token">Untrusted.</param>
    /// <param name="metadata">The issuer that it must be of.</param>
    /// <param name="audience">The audience it must name.</param>
    /// <param name="type">The <c>typ</c> that it must have; <see langword="null"/>: <c>JWT</c> or none.</param>
    /// <param name="cancellationToken">Ends the waiting for keys.</param>
    /// <param name="needsSubject">
    /// Whether it must name a subject; a logout token need not. Without one it is empty.
    /// </param>
    /// <param name="judgeTime">
    /// Whether it must be in force now; not for one that was found good before, and only presents another form of its
    /// signature.
    /// </param>
    public async ValueTask<IdTokenResult> VerifyAsync(
        string token,
        IssuerMetadata metadata,
        string audience,
        string? type,
        CancellationToken cancellationToken,
        bool needsSubject = true,
        bool judgeTime = true)
    {
        if (JwtParts.Read(token, out var fault) is not { } parts)
        {
            return Bad(fault);
        }

        if (type is null
            ? parts.Type is not (null or "JWT" or "jwt")
            : !string.Equals(parts.Type, type, StringComparison.OrdinalIgnoreCase))
        {
            return Bad($"its typ is \"{PrintableName.Of(parts.Type ?? "")}\"", "it is a token of another kind");
        }

        if ((FindFault(parts.Claims, metadata.Issuer, audience, needsSubject)
            ?? FindFaultOfTime(parts.Claims, judgeTime)) is { } early)
        {
            return early; // before any key is fetched for it
        }

        try
        {
            var document = await metadata.GetAsync(cancellationToken);
            var keys = FindKeys(document, parts);
            if (await HasSignatureOfOneAsync(token, keys, parts))
            {
                return Good(parts.Claims);
            }

            // Keys without names may have been exchanged since without leaving a trace in the token.
            if (keys.Count == 0 || !IsNamed(keys[0], parts))
            {
                var newer = await metadata.RefreshAsync(document, cancellationToken);
                if (newer != document && FindKeys(newer, parts) is { Count: > 0 } others)
                {
                    keys = others;
                    if (await HasSignatureOfOneAsync(token, keys, parts))
                    {
                        return Good(parts.Claims);
                    }
                }
            }

            return keys.Count > 0
                ? Bad("its signature is wrong")
                : Bad(
                    $"{metadata.Issuer} has no key \"{PrintableName.Of(parts.KeyId ?? "")}\" for "
                        + $"{PrintableName.Of(parts.Algorithm)}",
                    "it is signed with a key that its issuer does not publish");
        }
        catch (IssuerException exception)
        {
            return new IdTokenResult.Undecided(exception.Message);
        }
    }

    private static IdTokenResult.Bad Bad(string reason, string? message = null, string? fix = null) =>
        new(reason, message ?? reason, fix);

    // Those that the token's kid names; where it has none, or no key has its name, those that are not told apart by
    // name (OpenID Connect Core, section 10.1, wants names where there are several keys, and not every issuer gives
    // them). Each is the issuer's own, so which of them verifies does not matter; how many are tried does.
    private static List<JsonWebKey> FindKeys(IssuerDocument document, JwtParts parts)
    {
        var fitting = document.Keys.Where(key => SigningAlgorithms.Fits(key, parts.Algorithm)).ToList();
        var named = fitting.FindAll(key => IsNamed(key, parts));
        return named.Count > 0 ? [.. named.Take(MostTried)]
            : [.. fitting.Where(key => parts.KeyId is null || string.IsNullOrEmpty(key.Kid)).Take(MostTried)];
    }

    private static bool IsNamed(JsonWebKey key, JwtParts parts) => parts.KeyId is not null && key.Kid == parts.KeyId;

    private static async Task<bool> HasSignatureOfOneAsync(string token, List<JsonWebKey> keys, JwtParts parts)
    {
        foreach (var key in keys)
        {
            if (await HasSignatureAsync(token, key, parts))
            {
                return true;
            }
        }

        return false;
    }

    private static async Task<bool> HasSignatureAsync(string token, JsonWebKey key, JwtParts parts)
    {
        var result = await Handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKey = key,
            ValidAlgorithms = [parts.Algorithm],
            TryAllIssuerSigningKeys = true, // there is this one only, whatever its name
            RequireSignedTokens = true,
            ValidateIssuer = false, // what it says is judged here, by our clock and in our words
            ValidateAudience = false,
            ValidateLifetime = false,
        });
        return result.IsValid;
    }

    private static IdTokenResult.Good Good(JsonElement claims) => new(new IdToken(
        claims.GetProperty("iss").GetString()!,
        claims.Text("sub") ?? "",
        Instant(claims, "iat")!.Value,
        Instant(claims, "exp")!.Value,
        claims));

    private static IdTokenResult.Bad? FindFault(JsonElement claims, string issuer, string audience, bool needsSubject)
    {
        if (claims.Text("iss") != issuer)
        {
            return Bad(
                $"its iss is \"{PrintableName.Of(claims.Text("iss") ?? "")}\", where \"{issuer}\" is expected",
                "another issuer issued it");
        }

        if (!IsFor(claims, audience))
        {
            return Bad(
                $"its aud is {AudienceOf(claims)}, where \"{audience}\" is expected",
                $"it was issued for another audience: have it issued for \"{audience}\"",
                "Check that the audience (or clientId) is the same at the issuer and in gateway.yaml.");
        }

        var mustHaveSubject = needsSubject || claims.TryGetProperty("sub", out _);
        if (mustHaveSubject && claims.Text("sub") is not { Length: > 0 and <= 1024 })
        {
            return Bad("it has no sub");
        }

        return null;
    }

    private IdTokenResult.Bad? FindFaultOfTime(JsonElement claims, bool judge)
    {
        var now = time.GetUtcNow();
        if (Instant(claims, "exp") is not { } expiresAt || Instant(claims, "iat") is not { } issuedAt
            || (claims.TryGetProperty("nbf", out _) && Instant(claims, "nbf") is null))
        {
            return Bad("it has no exp or no iat");
        }

        if (!judge)
        {
            return null;
        }

        var notBefore = Instant(claims, "nbf") is { } nbf && nbf > issuedAt ? nbf : issuedAt;
        if (notBefore - now > Leeway)
        {
            return Bad(
                Seconds($"it is from {(notBefore - now).TotalSeconds:F0} s in the future: the clocks differ"),
                Seconds($"it becomes valid in {(notBefore - now).TotalSeconds:F0} s by this gateway's clock")
                + ", so one of the two clocks is wrong",
                SetClocks);
        }

        return now - expiresAt >= Leeway
            ? Bad(
                Seconds($"it expired {(now - expiresAt).TotalSeconds:F0} s ago"),
                Seconds($"it expired {(now - expiresAt).TotalSeconds:F0} s ago by this gateway's clock"), SetClocks)
            : null;
    }

    private static string Seconds(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    // RFC 7519, section 2: NumericDate may have a fraction.
    private static DateTimeOffset? Instant(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var seconds)
        && seconds is > 0 and < 253_402_300_799
            ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000))
            : null;

    private static bool IsFor(JsonElement claims, string audience) =>
        claims.TryGetProperty("aud", out var value)
        && (value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().Any(item => Is(item, audience))
            : Is(value, audience));

    private static bool Is(JsonElement value, string audience) =>
        value.ValueKind == JsonValueKind.String && value.ValueEquals(audience);

    private static string AudienceOf(JsonElement claims) =>
        claims.TryGetProperty("aud", out var value) ? PrintableName.Of(value.GetRawText()) : "missing";
}
