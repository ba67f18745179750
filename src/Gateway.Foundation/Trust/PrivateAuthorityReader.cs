using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;

namespace Gateway.Foundation.Trust;

/// <summary>Reads the file of an authority, and reports everything that is wrong with it.</summary>
internal static class PrivateAuthorityReader
{
    private static readonly TimeSpan ExpiryNotice = TimeSpan.FromDays(30);

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="setting">The setting that names it: <c>--ca</c>, <c>tls.authority</c>.</param>
    /// <param name="now">The time.</param>
    /// <param name="mayBeExpired">Whether an expired one is only a warning.</param>
    /// <exception cref="ProblemException">It must not be trusted, or not be published.</exception>
    public static PrivateAuthority Read(string path, string setting, DateTimeOffset now, bool mayBeExpired = false)
    {
        var problems = new List<Problem>();
        var warnings = new List<Problem>();
        var certificates = PemFile.Read(path, setting, problems) is { } file ? ReadBlocks(file, setting, problems) : [];
        foreach (var (certificate, place) in certificates)
        {
            CheckUse(certificate, place, setting, problems, warnings);
            CheckTime(certificate, place, setting, now, mayBeExpired ? warnings : problems, warnings);
        }

        if (problems.Count > 0)
        {
            throw new ProblemException(problems);
        }

        if (!certificates.Exists(static one => IsSelfIssued(one.Certificate)))
        {
            warnings.Add(new Problem(
                path, $"{setting}: no certificate in it is self-signed: it is an intermediate authority",
                certificates[0].Certificate.Subject,
                "docker, podman and containerd accept it; curl and other programs that use the system's store need the "
                    + "root: add its certificate to the file."));
        }

        return new PrivateAuthority(path, [.. certificates.Select(static one => one.Certificate)], warnings);
    }

    private static List<(X509Certificate2 Certificate, string Place)> ReadBlocks(
        PemFile file, string setting, List<Problem> problems)
    {
        var found = new List<(X509Certificate2 Certificate, string Place)>();
        if (file.Blocks.FirstOrDefault(
            static block => block.Label.EndsWith("PRIVATE KEY", StringComparison.Ordinal)) is { } key)
        {
            problems.Add(new Problem(
                file.At(key), $"{setting}: the file has a private key, which must not be published", key.Label,
                "Name a file with only the certificate: openssl x509 -in FILE -out ca.crt. Anyone who got the key can "
                    + "impersonate this registry."));
        }

        foreach (var block in file.Blocks.Where(static block => block.Label is "CERTIFICATE" or "X509 CERTIFICATE"))
        {
            try
            {
                var certificate = X509CertificateLoader.LoadCertificate(block.Content);
                if (!found.Exists(
                    one => one.Certificate.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span)))
                {
                    found.Add((certificate, file.At(block)));
                }
            }
            catch (CryptographicException)
            {
                problems.Add(new Problem(
                    file.At(block), $"{setting}: the block that begins here is not a certificate", block.Label,
                    "Get the complete file again."));
            }
        }

        if (found.Count == 0 && problems.Count == 0)
        {
            problems.Add(new Problem(
                file.Path, $"{setting}: there is no certificate in the file",
                string.Join(", ", file.Blocks.Select(static block => block.Label)),
                "Name the authority's certificate in PEM form (-----BEGIN CERTIFICATE-----)."));
        }

        return found;
    }

    private static void CheckUse(
        X509Certificate2 certificate, string place, string setting, List<Problem> problems, List<Problem> warnings)
    {
        var isAuthority = certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(
            static one => one.CertificateAuthority);
        if (isAuthority)
        {
            // RFC 5280, section 4.2.1.3; Go, and so docker, requires it.
            if (certificate.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is { } usage
                && !usage.KeyUsages.HasFlag(X509KeyUsageFlags.KeyCertSign))
            {
                problems.Add(new Problem(
                    place, $"{setting}: the authority's certificate may not sign certificates (key usage)",
                    certificate.Subject,
                    "Have it issued again with keyCertSign, or name the authority that signed the server's "
                        + "certificate."));
            }
        }
        else if (IsSelfIssued(certificate))
        {
            warnings.Add(new Problem(
                place, $"{setting}: this is not an authority but a self-signed certificate, probably the server's own",
                certificate.Subject,
                "Clients trust only this certificate, and must be configured again when it is renewed; use an "
                    + "authority of your own to avoid that."));
        }
        else
        {
            problems.Add(new Problem(
                place, $"{setting}: this is a server's certificate, not that of an authority (basicConstraints)",
                certificate.Subject,
                $"Name a file with only the certificate of its issuer, {certificate.Issuer}: it stays valid when the "
                    + "server's is renewed."));
        }
    }

    private static void CheckTime(
        X509Certificate2 certificate, string place, string setting, DateTimeOffset now, List<Problem> expired,
        List<Problem> warnings)
    {
        var (begin, end) = (new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
        if (end < now)
        {
            expired.Add(new Problem(
                place, $"{setting}: the authority's certificate has expired", $"{end.UtcDateTime:u}",
                "Every client refuses the certificates that it signed. Get the current one from the operator of the "
                    + "authority."));
        }
        else if (end - now < ExpiryNotice)
        {
            warnings.Add(new Problem(
                place, $"{setting}: the authority's certificate expires soon", $"{end.UtcDateTime:u}",
                "Get its successor, and keep both in the file until then."));
        }

        if (begin > now)
        {
            warnings.Add(new Problem(
                place, $"{setting}: the authority's certificate is not valid yet", $"{begin.UtcDateTime:u}",
                "Clients refuse it until then. Check this machine's clock."));
        }
    }

    private static bool IsSelfIssued(X509Certificate2 certificate) =>
        certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
}
