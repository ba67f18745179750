using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Tls;

/// <summary>Reads one configured pair and reports everything that is wrong with it.</summary>
/// <param name="options">The pair's settings.</param>
/// <param name="setting">Where they are: <c>tls.certificates[0]</c>.</param>
/// <param name="problems">What makes the pair unusable.</param>
/// <param name="warnings">What makes some clients refuse it.</param>
internal sealed class CertificatePairReader(
    CertificateOptions options, string setting, List<Problem> problems, List<Problem> warnings)
{
    private const int SmallestRsaKey = 2048; // OpenSSL at Debian's security level refuses smaller ones in the handshake
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string AnyPurpose = "2.5.29.37.0";
    private static readonly string[] KeyLabels =
        ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];

    private string CertificateSetting => setting + ".certificate";

    private string KeySetting => setting + ".key";

    /// <returns><see langword="null"/> where a problem was added.</returns>
    public CertificatePair? Read()
    {
        var before = problems.Count;
        var certificateFile = PemFile.Read(options.Certificate, CertificateSetting, problems);
        var keyFile = PemFile.Read(options.Key, KeySetting, problems);
        var certificates = certificateFile is null ? null : ReadCertificates(certificateFile);
        using var key = keyFile is null ? null : ReadKey(keyFile);
        if (certificates is [var (leaf, _), ..])
        {
            CheckStrength(leaf);
        }

        if (certificates is null || key is null || !CheckMatch(certificates, key, keyFile!) || problems.Count > before)
        {
            return null;
        }

        CheckChain(certificates);
        return Combine(certificates, key);
    }

    private CertificatePair? Combine(
        List<(X509Certificate2 Certificate, string Place)> certificates, AsymmetricAlgorithm key)
    {
        var (leaf, place) = certificates[0];
        try
        {
            var served = Describe(leaf);
            CheckNames(served, place);
            CheckPurpose(leaf, place);
            var intermediates = new X509Certificate2Collection(
                certificates.Skip(1).Select(static entry => entry.Certificate).ToArray());
            return key is ECDsa ecdsa
                ? new CertificatePair(leaf.CopyWithPrivateKey(ecdsa), intermediates, isEcdsa: true, served)
                : new CertificatePair(leaf.CopyWithPrivateKey((RSA)key), intermediates, isEcdsa: false, served);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            problems.Add(new Problem(
                place, $"{CertificateSetting}: the certificate cannot be used: {exception.Message}", null,
                "Have it reissued."));
            return null;
        }
    }

    private List<(X509Certificate2 Certificate, string Place)>? ReadCertificates(PemFile file)
    {
        var found = new List<(X509Certificate2, string)>();
        foreach (var block in file.Blocks.Where(static block => block.Label == "CERTIFICATE"))
        {
            try
            {
                found.Add((X509CertificateLoader.LoadCertificate(block.Content), file.At(block)));
            }
            catch (CryptographicException)
            {
                problems.Add(new Problem(
                    file.At(block), $"{CertificateSetting}: the block that begins here is not a certificate", null,
                    "Write the complete file again."));
                return null;
            }
        }

        if (found.Count == 0)
        {
            problems.Add(new Problem(
                file.Path, $"{CertificateSetting}: there is no certificate in the file",
                string.Join(", ", file.Blocks.Select(static block => block.Label)),
                "Name the file with -----BEGIN CERTIFICATE-----; check whether certificate and key are swapped."));
            return null;
        }

        return found;
    }

    private AsymmetricAlgorithm? ReadKey(PemFile file)
    {
        var blocks = file.Blocks.Where(static block => KeyLabels.Contains(block.Label)).ToList();
        if (blocks is not [var block])
        {
            problems.Add(new Problem(
                file.Path,
                blocks is [] ? $"{KeySetting}: there is no private key in the file"
                    : $"{KeySetting}: there are {blocks.Count} private keys in the file",
                string.Join(", ", file.Blocks.Select(static block => block.Label)),
                "Name a file with one private key, RSA or ECDSA, as PKCS#8, PKCS#1 or SEC1."));
            return null;
        }

        if (block.Label == "ENCRYPTED PRIVATE KEY")
        {
            problems.Add(PemFile.Encrypted(file.Path, block.Line, KeySetting));
            return null;
        }

        var key = TryImport(RSA.Create, block) ?? TryImport(ECDsa.Create, block);
        CryptographicOperations.ZeroMemory(block.Content);
        if (key is null)
        {
            problems.Add(new Problem(
                file.At(block),
                $"{KeySetting}: the private key is damaged, or of a kind that the gateway does not serve",
                block.Label, "Use an RSA or ECDSA (P-256, P-384, P-521) key and a certificate for it."));
        }

        return key;
    }

    private static AsymmetricAlgorithm? TryImport(Func<AsymmetricAlgorithm> create, PemBlock block)
    {
        var key = create();
        try
        {
            switch (block.Label, key)
            {
                case ("PRIVATE KEY", _):
                    key.ImportPkcs8PrivateKey(block.Content, out _);
                    return key;
                case ("RSA PRIVATE KEY", RSA rsa):
                    rsa.ImportRSAPrivateKey(block.Content, out _);
                    return key;
                case ("EC PRIVATE KEY", ECDsa ecdsa):
                    ecdsa.ImportECPrivateKey(block.Content, out _);
                    return key;
            }
        }
        catch (CryptographicException)
        {
            // Another kind of key; the caller tells when it is none that we know.
        }

        key.Dispose();
        return null;
    }

    private void CheckStrength(X509Certificate2 leaf)
    {
        using var rsa = leaf.GetRSAPublicKey();
        if (rsa is { KeySize: < SmallestRsaKey })
        {
            problems.Add(new Problem(
                options.Certificate, $"{CertificateSetting}: the RSA key is too short",
                rsa.KeySize.ToString(CultureInfo.InvariantCulture) + " bits",
                "Have a certificate issued for a new key: ECDSA P-256, or RSA with 2048 bits or more."));
        }

        // sha1WithRSAEncryption, ecdsa-with-SHA1, md5WithRSAEncryption. Nobody checks that of a self-signed one.
        if (leaf.SignatureAlgorithm.Value is "1.2.840.113549.1.1.5" or "1.2.840.10045.4.1" or "1.2.840.113549.1.1.4"
            && leaf.Subject != leaf.Issuer)
        {
            problems.Add(new Problem(
                options.Certificate, $"{CertificateSetting}: the certificate is signed with a broken algorithm",
                leaf.SignatureAlgorithm.FriendlyName, "Have it reissued, signed with SHA-256."));
        }
    }

    private bool CheckMatch(
        List<(X509Certificate2 Certificate, string Place)> certificates, AsymmetricAlgorithm key, PemFile keyFile)
    {
        var match = certificates.FindIndex(entry => Matches(entry.Certificate, key));
        if (match == 0)
        {
            return true;
        }

        problems.Add(match > 0
            ? new Problem(
                certificates[match].Place, $"{CertificateSetting}: the key's certificate is not the first in the file",
                certificates[0].Certificate.Subject,
                "Put it first, then each intermediate after the certificate that it issued.")
            {
                Kind = ProblemKind.KeyMismatch,
            }
            : new Problem(
                keyFile.Path, $"{KeySetting}: the key does not belong to the certificate in {options.Certificate}",
                certificates[0].Certificate.Subject,
                "Use the key that the certificate was issued for; openssl x509 -noout -pubkey -in CERTIFICATE and "
                + "openssl pkey -pubout -in KEY must print the same.")
            {
                Kind = ProblemKind.KeyMismatch,
            });
        return false;
    }

    // A signature tells more than comparing the encodings of public keys, which may differ for the same key,
    // or be the same while the private part is damaged.
    private static bool Matches(X509Certificate2 certificate, AsymmetricAlgorithm key)
    {
        var data = "gateway"u8;
        try
        {
            switch (key)
            {
                case ECDsa ecdsa:
                    using (var publicKey = certificate.GetECDsaPublicKey())
                    {
                        return publicKey is not null && publicKey.VerifyData(
                            data, ecdsa.SignData(data, HashAlgorithmName.SHA256), HashAlgorithmName.SHA256);
                    }

                case RSA rsa:
                    using (var publicKey = certificate.GetRSAPublicKey())
                    {
                        return publicKey is not null && publicKey.VerifyData(
                            data, rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
                            HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
                    }

                default:
                    return false;
            }
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private void CheckChain(List<(X509Certificate2 Certificate, string Place)> certificates)
    {
        for (var i = 1; i < certificates.Count; i++)
        {
            var (certificate, place) = certificates[i];
            var issuer = certificates[i - 1].Certificate.IssuerName;
            if (!certificate.SubjectName.RawData.AsSpan().SequenceEqual(issuer.RawData))
            {
                warnings.Add(new Problem(
                    place, $"{CertificateSetting}: this certificate did not issue the one before it",
                    certificate.Subject,
                    "Put the server's certificate first and each intermediate after the certificate that it issued; "
                    + "the gateway sends those that belong to the chain, in that order."));
                return;
            }
        }

        CheckIntermediates(certificates[0].Certificate, certificates.Count);
    }

    // The most frequent mistake of all: cert.pem in place of fullchain.pem. Browsers fetch the missing certificate, so
    // that all looks well, while docker and every other Go or OpenSSL program fails.
    private void CheckIntermediates(X509Certificate2 leaf, int count)
    {
        var fetchable = leaf.Extensions.OfType<X509AuthorityInformationAccessExtension>()
            .SelectMany(static extension => extension.EnumerateCAIssuersUris()).FirstOrDefault();
        if (count > 1 || fetchable is null)
        {
            return;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllFlags;
        chain.Build(leaf);
        if (chain.ChainStatus.Any(static status => status.Status.HasFlag(X509ChainStatusFlags.PartialChain)))
        {
            warnings.Add(new Problem(
                options.Certificate, $"{CertificateSetting}: the intermediate certificate is missing", leaf.Issuer,
                $"Append it (it is at {fetchable}), or name the issuer's full chain (fullchain.pem): docker does not "
                + "fetch it."));
        }
    }

    private void CheckNames(ServedCertificate served, string place)
    {
        if (served.Names.Count == 0)
        {
            warnings.Add(new Problem(
                place, $"{CertificateSetting}: the certificate names no host in its subject alternative name",
                served.Subject,
                "Have it issued with one (DNS:registry.example.com): docker and browsers ignore the common name."));
        }
    }

    private void CheckPurpose(X509Certificate2 leaf, string place)
    {
        var usages = leaf.Extensions.OfType<X509EnhancedKeyUsageExtension>()
            .SelectMany(static extension => extension.EnhancedKeyUsages.Cast<Oid>()).ToList();
        if (usages.Count > 0 && !usages.Exists(static usage => usage.Value is ServerAuthentication or AnyPurpose))
        {
            warnings.Add(new Problem(
                place, $"{CertificateSetting}: the certificate is not meant for servers",
                string.Join(", ", usages.Select(static usage => usage.FriendlyName ?? usage.Value)),
                "Have it issued with the extended key usage serverAuth; clients refuse it as it is."));
        }
    }

    private ServedCertificate Describe(X509Certificate2 leaf)
    {
        var names = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(static extension => extension.EnumerateDnsNames()
                .Concat(extension.EnumerateIPAddresses().Select(static address => address.ToString())));
        using var rsa = leaf.GetRSAPublicKey();
        using var ecdsa = leaf.GetECDsaPublicKey();
        return new ServedCertificate(
            [.. names],
            leaf.Subject,
            leaf.Issuer,
            new DateTimeOffset(leaf.NotBefore),
            new DateTimeOffset(leaf.NotAfter),
            rsa is null ? $"ECDSA {ecdsa?.KeySize}" : $"RSA {rsa.KeySize}",
            options.Certificate,
            Convert.ToHexStringLower(leaf.GetCertHash(HashAlgorithmName.SHA256)));
    }
}
