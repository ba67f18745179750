using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Server.Requests.Tls;

/// <summary>
/// What a client presented in its handshake, a feature of its connection. The handshake proved that the client holds
/// the certificate's key; nothing else of it is verified.
/// </summary>
internal sealed class PresentedCertificate
{
    /// <param name="certificate">The client's certificate.</param>
    /// <param name="others">What it sent besides, meant as intermediates.</param>
    public PresentedCertificate(X509Certificate certificate, IEnumerable<X509Certificate2> others)
    {
        Content = certificate.GetRawCertData();
        Others = [
            .. others.Select(static other => other.RawData).Where(other => !other.AsSpan().SequenceEqual(Content)),
        ];
        Thumbprint = Convert.ToHexStringLower(SHA256.HashData(Content));
        SubjectName = certificate.Subject;
    }

    /// <summary>The certificate.</summary>
    public byte[] Content { get; }

    /// <summary>The other certificates.</summary>
    public IReadOnlyList<byte[]> Others { get; }

    /// <summary>The certificate's SHA-256 in lower-case hexadecimal.</summary>
    public string Thumbprint { get; }

    /// <summary>The subject as text, as the certificate has it: any text.</summary>
    public string SubjectName { get; }

    /// <inheritdoc/>
    public override string ToString() => Thumbprint;
}
