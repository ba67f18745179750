using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;

namespace Gateway.Server.Requests.Tls;

/// <summary>Creates a local certificate authority and a server certificate for testing.</summary>
/// <param name="folder">Where <c>ca.crt</c>, <c>ca.key</c>, <c>tls.crt</c> and <c>tls.key</c> lie.</param>
/// <param name="time">The clock.</param>
internal sealed class DevelopmentCertificates(string folder, TimeProvider time)
{
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Public = Secret | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const int LongestCommonName = 64; // RFC 5280, ub-common-name

    // Clients refuse server certificates that last longer than 398 days.
    private static readonly TimeSpan ServerLifetime = TimeSpan.FromDays(397);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromHours(1);
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    private string AuthorityCertificate => Path.Combine(folder, "ca.crt");

    private string AuthorityKey => Path.Combine(folder, "ca.key");

    private string ServerCertificate => Path.Combine(folder, "tls.crt");

    private string ServerKey => Path.Combine(folder, "tls.key");

    /// <summary>
    /// Makes what is missing. The authority is kept where there is one, so that nobody has to trust it again; so is a
    /// server certificate of it that covers the names and lasts another 30 days.
    /// </summary>
    /// <param name="names">DNS names; a wildcard label (<c>*.example.com</c>) is allowed.</param>
    /// <param name="addresses">IP addresses.</param>
    /// <param name="force">
    /// Makes a new server certificate in any case, also over one of another authority, and a new authority where the
    /// one there is unusable.
    /// </param>
    /// <returns>The files that were written, and those that were kept.</returns>
    /// <exception cref="ProblemException">What is there must not, or cannot, be used or replaced.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public (IReadOnlyList<string> Written, IReadOnlyList<string> Kept) Make(
        IReadOnlyCollection<string> names, IReadOnlyCollection<IPAddress> addresses, bool force)
    {
        DurableFolder.Create(folder);
        var written = new List<string>();
        var kept = new List<string>();

        using var existing = ReadAuthority(force);
        // Checked before the authority is written: a folder with somebody else's certificate stays as it was.
        var server = ReadServer(existing, force);
        using var authority = existing ?? WriteAuthority(written);
        if (existing is not null)
        {
            kept.AddRange([AuthorityCertificate, AuthorityKey]);
        }

        if (!force && server is not null && Suits(server, names, addresses))
        {
            kept.AddRange([ServerCertificate, ServerKey]);
        }
        else
        {
            WriteServer(authority, names, addresses);
            written.AddRange([ServerCertificate, ServerKey]);
        }

        return (written, kept);
    }

    private X509Certificate2? ReadAuthority(bool force)
    {
        if (!File.Exists(AuthorityCertificate) && !File.Exists(AuthorityKey))
        {
            return null;
        }

        var what = "the file is missing, but its counterpart exists";
        var file = File.Exists(AuthorityCertificate) ? AuthorityKey : AuthorityCertificate;
        if (File.Exists(AuthorityCertificate) && File.Exists(AuthorityKey))
        {
            file = AuthorityCertificate;
            try
            {
                var authority = X509Certificate2.CreateFromPemFile(AuthorityCertificate, AuthorityKey);
                if (!CanIssue(authority))
                {
                    what = "this is not the certificate of an ECDSA certificate authority";
                }
                else if (new DateTimeOffset(authority.NotAfter) <= time.GetUtcNow() + RenewBefore)
                {
                    what = "the authority has expired, or expires within 30 days";
                }
                else
                {
                    return authority;
                }

                authority.Dispose();
            }
            catch (Exception exception) when (exception is CryptographicException or ArgumentException)
            {
                what = "certificate and key of the authority are damaged or do not belong together";
            }
        }

        return force ? null : throw new ProblemException(new Problem(
            file, what, null,
            "Put the right files there, or create a new authority with --force and have clients trust it."));
    }

    private static bool CanIssue(X509Certificate2 authority)
    {
        using var key = authority.GetECDsaPrivateKey();
        return key is not null
            && authority.Extensions.OfType<X509BasicConstraintsExtension>().Any(static e => e.CertificateAuthority);
    }

    private CertificatePair? ReadServer(X509Certificate2? authority, bool force)
    {
        if (force || (!File.Exists(ServerCertificate) && !File.Exists(ServerKey)))
        {
            return null;
        }

        var problems = new List<Problem>();
        var pair = new CertificatePairReader(
            new CertificateOptions { Certificate = ServerCertificate, Key = ServerKey }, "dev-cert", problems, [])
            .Read();
        if (authority is null || pair is null || !IsIssuedBy(pair, authority))
        {
            throw new ProblemException(new Problem(
                ServerCertificate, "there is already a certificate or key that this command did not create", null,
                "Choose another folder with --out, or replace both files with --force."));
        }

        return pair;
    }

    private static bool IsIssuedBy(CertificatePair pair, X509Certificate2 authority)
    {
        using var chain = new X509Chain { ChainPolicy = TrustRoots.Policy([authority]) };
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        return chain.Build(pair.Options.ServerCertificateContext!.TargetCertificate);
    }

    private bool Suits(CertificatePair pair, IEnumerable<string> names, IEnumerable<IPAddress> addresses) =>
        names.Concat(addresses.Select(static address => address.ToString()))
            .All(name => pair.Served.Names.Contains(name, StringComparer.OrdinalIgnoreCase))
        && pair.Served.IsValidAt(time.GetUtcNow())
        && pair.Served.IsValidAt(time.GetUtcNow() + RenewBefore);

    private X509Certificate2 WriteAuthority(List<string> written)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Several people's authorities may meet in one trust store: the name tells whose this is.
        var name = $"Registry Gateway development CA ({Environment.UserName}@{Environment.MachineName})";
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name[..Math.Min(name.Length, LongestCommonName)]);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = time.GetUtcNow();
        var authority = request.CreateSelfSigned(now - ClockTolerance, now.AddYears(10));
        WriteFile(AuthorityKey, key.ExportPkcs8PrivateKeyPem(), Secret);
        WriteFile(AuthorityCertificate, authority.ExportCertificatePem(), Public);
        written.AddRange([AuthorityCertificate, AuthorityKey]);
        return authority;
    }

    private void WriteServer(
        X509Certificate2 authority, IReadOnlyCollection<string> names, IReadOnlyCollection<IPAddress> addresses)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Registry Gateway development", key, HashAlgorithmName.SHA256);
        var alternativeNames = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            alternativeNames.AddDnsName(name);
        }

        foreach (var address in addresses)
        {
            alternativeNames.AddIpAddress(address);
        }

        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([ServerAuthentication], critical: false));
        request.CertificateExtensions.Add(alternativeNames.Build());
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var notBefore = time.GetUtcNow() - ClockTolerance;
        var notAfter = notBefore + ServerLifetime;
        var end = new DateTimeOffset(authority.NotAfter);
        using var certificate = request.Create(
            authority, notBefore, notAfter < end ? notAfter : end, RandomNumberGenerator.GetBytes(16));
        WriteFile(ServerKey, key.ExportPkcs8PrivateKeyPem(), Secret);
        var chain = certificate.ExportCertificatePem() + "\n" + authority.ExportCertificatePem();
        WriteFile(ServerCertificate, chain, Public);
    }

    private static void WriteFile(string path, string text, UnixFileMode mode) =>
        AtomicFile.Write(path, Encoding.UTF8.GetBytes(text + "\n"), mode);
}
