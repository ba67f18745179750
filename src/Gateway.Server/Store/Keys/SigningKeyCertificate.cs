using System.Security.Cryptography.X509Certificates;

namespace Gateway.Server.Store.Keys;

/// <summary>The self-signed certificate of a key, as <c>rootcertbundle</c> of Distribution wants it.</summary>
internal static class SigningKeyCertificate
{
    // RFC 5280, section 4.1.2.5: no well-defined end. That a key stops verifying is told by its removal from the
    // bundle, and a registry must not stop trusting the key in use because nobody thought of a date.
    private static readonly DateTimeOffset Never = new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);

    private static readonly TimeSpan ClockTolerance = TimeSpan.FromDays(1);

    /// <summary>Makes the certificate, as PEM without a line break at the end.</summary>
    public static string Create(SigningKey key)
    {
        var request = key.CertificateRequest("CN=Registry Gateway token signing " + key.Id[..9]);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = request.CreateSelfSigned((key.CreatedAt ?? key.ActiveFrom) - ClockTolerance, Never);
        return certificate.ExportCertificatePem();
    }
}
