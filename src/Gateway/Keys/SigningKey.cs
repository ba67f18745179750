using System.Security.Cryptography;
using System.Text;

namespace Gateway.Keys;

/// <summary>A private key of the gateway's, with what others know it by. Safe for use by several threads.</summary>
internal sealed class SigningKey
{
    private readonly ECDsa? _ec;
    private readonly RSA? _rsa;
    private readonly byte[] _secret;

    public SigningKey(AsymmetricAlgorithm key, DateTimeOffset activeFrom)
    {
        (_ec, _rsa) = (key as ECDsa, key as RSA);
        ActiveFrom = activeFrom;
        PublicKey = key.ExportSubjectPublicKeyInfo();
        _secret = SHA256.HashData(key.ExportPkcs8PrivateKey());
        Id = LibtrustId(PublicKey);
    }

    /// <summary>The <c>kid</c> as Distribution 2.8 works it out: <c>PYYO:TEWU:…</c>.</summary>
    public string Id { get; }

    /// <summary>From when on it signs; others hold it by then.</summary>
    public DateTimeOffset ActiveFrom { get; }

    /// <summary>The public key, DER of a SubjectPublicKeyInfo.</summary>
    public byte[] PublicKey { get; }

    public SigningAlgorithm Algorithm => _ec is not null ? SigningAlgorithm.ES256 : SigningAlgorithm.RS256;

    /// <summary>Signs as JWS wants it: for ES256 the 64 bytes of r and s (RFC 7518, section 3.4).</summary>
    public byte[] Sign(ReadOnlySpan<byte> data) => _ec is not null
        ? _ec.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
        : _rsa!.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    /// <summary>Whether a signature is this key's.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) => _ec is not null
        ? _ec.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
        : _rsa!.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    /// <summary>A symmetric key of 32 bytes that everybody who holds this key can derive (RFC 5869), one for each purpose.</summary>
    public byte[] DeriveKey(string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, 32, salt: null, Encoding.ASCII.GetBytes(purpose));

    // libtrust: the first 240 bits of SHA-256 over the public key, base32, in 12 groups of 4.
    private static string LibtrustId(ReadOnlySpan<byte> publicKey)
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
