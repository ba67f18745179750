namespace Gateway.Server.Store.Keys;

/// <summary>
/// How access tokens are signed (RFC 7518, section 3.1). Both are understood by Distribution 2.8 and 3.
/// </summary>
public enum SigningAlgorithm
{
    /// <summary>ECDSA on P-256 with SHA-256: small tokens, quick to sign.</summary>
    ES256,

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-256: quick to verify, slow to sign.</summary>
    RS256,
}
