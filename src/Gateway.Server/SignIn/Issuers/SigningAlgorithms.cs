using Microsoft.IdentityModel.Tokens;

namespace Gateway.Server.SignIn.Issuers;

/// <summary>
/// Which algorithm an issuer's key may be used with. The key decides, never the token (RFC 8725, section 3.1).
/// </summary>
internal static class SigningAlgorithms
{
    private const int LeastRsaBits = 2048;

    /// <summary>Whether a key can verify signatures at all: public, for signatures, and strong enough.</summary>
    public static bool CanVerify(JsonWebKey key) =>
        key.Use is null or "" or "sig"
        && (key.KeyOps.Count == 0 || key.KeyOps.Contains("verify"))
        && key.Kty switch
        {
            "RSA" => key is { N: not null, E: not null, KeySize: >= LeastRsaBits },
            "EC" => key is { X: not null, Y: not null, Crv: "P-256" or "P-384" or "P-521" },
            _ => false, // no symmetric keys: anyone who verifies with one can sign with it
        };

    /// <summary>Whether a token signed with an algorithm may be verified with a key.</summary>
    public static bool Fits(JsonWebKey key, string algorithm) =>
        (string.IsNullOrEmpty(key.Alg) || key.Alg == algorithm)
        && algorithm switch
        {
            "RS256" or "RS384" or "RS512" or "PS256" or "PS384" or "PS512" => key.Kty == "RSA",
            "ES256" => key is { Kty: "EC", Crv: "P-256" },
            "ES384" => key is { Kty: "EC", Crv: "P-384" },
            "ES512" => key is { Kty: "EC", Crv: "P-521" },
            _ => false,
        };
}
