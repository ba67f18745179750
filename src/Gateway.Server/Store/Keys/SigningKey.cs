using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Gateway.Server.Store.Keys;

/// <summary>A private key of the gateway's, with what others know it by. Safe for use by several threads.</summary>
/// <remarks>
/// All threads share one key object. OpenSSL allows that for a key that nobody changes (its own TLS does so), .NET's
/// classes around it keep no state between calls, and neither being wrong nor being slower was seen beside one object a
/// thread: <c>SigningKeyTests</c> holds the first.
/// </remarks>
internal sealed class SigningKey
{
    /// <summary>The shortest RSA key accepted; the one made here has this length, too.</summary>
    public const int LeastRsaBits = 2048;

    private const string P256 = "1.2.840.10045.3.1.7";

    private readonly ECDsa? _ec;
    private readonly RSA? _rsa;
    private readonly byte[] _secret;

    /// <summary>Takes over a key.</summary>
    /// <param name="key">ECDSA on P-256, or RSA; it is this object's from now on.</param>
    /// <param name="activeFrom">From when on it signs.</param>
    /// <param name="createdAt">When the gateway made it; <see langword="null"/> for an operator's own key.</param>
    public SigningKey(AsymmetricAlgorithm key, DateTimeOffset activeFrom, DateTimeOffset? createdAt = null)
    {
        (_ec, _rsa) = (key as ECDsa, key as RSA);
        ActiveFrom = activeFrom;
        CreatedAt = createdAt;
        PublicKey = key.ExportSubjectPublicKeyInfo();
        _secret = SHA256.HashData(PrivateNumber(key));
        Id = IdOf(PublicKey);
    }

    /// <summary>The <c>kid</c> as Distribution 2.8 works it out: <c>PYYO:TEWU:…</c>.</summary>
    public string Id { get; }

    /// <summary>From when on it signs; others hold it by then.</summary>
    public DateTimeOffset ActiveFrom { get; }

    /// <summary>
    /// When the gateway made it; <see langword="null"/> for an operator's own, which is never removed automatically.
    /// </summary>
    public DateTimeOffset? CreatedAt { get; }

    /// <summary>The public key, DER of a SubjectPublicKeyInfo.</summary>
    public byte[] PublicKey { get; }

    public SigningAlgorithm Algorithm => _ec is not null ? SigningAlgorithm.ES256 : SigningAlgorithm.RS256;

    /// <summary>Makes a new key.</summary>
    public static SigningKey Create(SigningAlgorithm algorithm, DateTimeOffset createdAt, DateTimeOffset activeFrom) =>
        new(
            algorithm == SigningAlgorithm.ES256 ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : RSA.Create(LeastRsaBits),
            activeFrom,
            createdAt);

    /// <summary>Whether ES256 or RS256 can use a key, and what is wrong with it where not.</summary>
    public static string? FaultOf(AsymmetricAlgorithm key) => key switch
    {
        RSA { KeySize: < LeastRsaBits } rsa => $"the RSA key has only {rsa.KeySize} bits",
        ECDsa ec when ec.ExportParameters(false).Curve is not { IsNamed: true, Oid.Value: P256 } =>
            $"the elliptic curve ({ec.KeySize} bits) is not P-256",
        _ => null,
    };

    /// <summary>Signs as JWS wants it: for ES256 the 64 bytes of r and s (RFC 7518, section 3.4).</summary>
    public byte[] Sign(ReadOnlySpan<byte> data) => _ec is not null
        ? _ec.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
        : _rsa!.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    /// <summary>Whether a signature is this key's.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) => _ec is not null
        ? _ec.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
        : _rsa!.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    /// <summary>
    /// A symmetric key of 32 bytes that everybody who holds this key can derive (RFC 5869), one for each purpose.
    /// </summary>
    public byte[] DeriveKey(string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, 32, salt: null, Encoding.ASCII.GetBytes(purpose));

    /// <summary>The private key as PKCS#8 PEM; encrypted where there is a password.</summary>
    public string ToPem(string? password)
    {
        // 600,000 rounds of SHA-256 take a quarter of a second, once for each key and process.
        var sealing = new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 600_000);
        var key = (AsymmetricAlgorithm?)_ec ?? _rsa!;
        return password is null
            ? key.ExportPkcs8PrivateKeyPem()
            : key.ExportEncryptedPkcs8PrivateKeyPem(password, sealing);
    }

    /// <summary>The public key's numbers; only the members of its algorithm are set.</summary>
    public (ECParameters Ec, RSAParameters Rsa) PublicNumbers() =>
        (_ec?.ExportParameters(false) ?? default, _rsa?.ExportParameters(false) ?? default);

    /// <summary>The request for a self-signed certificate, for <see cref="SigningKeyCertificate"/>.</summary>
    public CertificateRequest CertificateRequest(string subject) =>
        _ec is not null
            ? new(subject, _ec, HashAlgorithmName.SHA256)
            : new(subject, _rsa!, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    // The number and not an encoding of it: replicas with different libraries must derive the same keys.
    private static byte[] PrivateNumber(AsymmetricAlgorithm key) => key switch
    {
        ECDsa ec => ec.ExportParameters(true).D!,
        RSA rsa => rsa.ExportParameters(true).D!,
        _ => throw new ArgumentException("neither ECDSA nor RSA", nameof(key)),
    };

    /// <summary>
    /// The libtrust id of a public key: the first 240 bits of SHA-256 over it, base32, in 12 groups of 4.
    /// </summary>
    public static string IdOf(ReadOnlySpan<byte> publicKey)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        var digest = SHA256.HashData(publicKey);
        var text = new StringBuilder(59);
        for (var i = 0; i < 48; i++)
        {
            var bit = i * 5;
            var pair = (digest[bit / 8] << 8) | digest[(bit / 8) + 1];
            text.Append(i > 0 && i % 4 == 0 ? ":" : "").Append(alphabet[(pair >> (11 - (bit % 8))) & 31]);
        }

        return text.ToString();
    }
}
