using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>One certificate of a chain, as far as revocation asks for it: who issued it under which number.</summary>
/// <param name="IssuerKey">Identifies the issuer's key.</param>
/// <param name="IssuerName">
/// Identifies the issuer's name. Both, since a list belongs to its authority by either: after a change of keys the new
/// key signs the list for certificates of the old one as well, and a cross-signed authority has one key under several
/// certificates.
/// </param>
/// <param name="Serial">See <see cref="RevocationList.SerialOf"/>.</param>
internal readonly record struct CertificateLink(string IssuerKey, string IssuerName, string Serial)
{
    private const char Separator = '.';

    // 96 bits: enough that no one creates another authority with the same id, and short in a token.
    private const int IdLength = 12;

    /// <summary>The link from a certificate to its issuer.</summary>
    public static CertificateLink Of(X509Certificate2 certificate, X509Certificate2 issuer) => new(
        IdOfKey(issuer), IdOfName(issuer.SubjectName.RawData),
        RevocationList.SerialOf(certificate.SerialNumberBytes.Span));

    /// <summary>The id of a certificate's key.</summary>
    public static string IdOfKey(X509Certificate2 certificate) =>
        IdOf(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    /// <summary>The id of an encoded name.</summary>
    public static string IdOfName(byte[] encoded) => IdOf(encoded);

    /// <summary>Reads what <see cref="ToString"/> wrote, without making new strings of it.</summary>
    public static bool TryRead(
        ReadOnlySpan<char> text, out ReadOnlySpan<char> issuerKey, out ReadOnlySpan<char> issuerName,
        out ReadOnlySpan<char> serial)
    {
        issuerKey = issuerName = serial = default;
        Span<Range> parts = stackalloc Range[4];
        if (text.Split(parts, Separator) != 3)
        {
            return false;
        }

        issuerKey = text[parts[0]];
        issuerName = text[parts[1]];
        serial = text[parts[2]];
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{IssuerKey}{Separator}{IssuerName}{Separator}{Serial}";

    private static string IdOf(byte[] content) =>
        Base64Url.EncodeToString(SHA256.HashData(content).AsSpan(0, IdLength));
}
