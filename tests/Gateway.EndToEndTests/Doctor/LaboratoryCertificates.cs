using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Doctor;

/// <summary>An authority with an intermediate one, which issue certificates with one thing wrong.</summary>
internal sealed class LaboratoryCertificates : IDisposable
{
    private readonly RSA _rootKey = RSA.Create(2048);
    private readonly RSA _intermediateKey = RSA.Create(2048);

    public LaboratoryCertificates(string name = "Laboratory")
    {
        var now = TimeProvider.System.GetUtcNow();
        Root = Authority($"CN={name} Root", _rootKey).CreateSelfSigned(now.AddYears(-2), now.AddYears(5));
        using var issued = Authority($"CN={name} Intermediate", _intermediateKey).Create(
            Root, now.AddYears(-1), now.AddYears(3), [7, 7, 7]);
        Intermediate = issued.CopyWithPrivateKey(_intermediateKey);
    }

    public X509Certificate2 Root { get; }

    public X509Certificate2 Intermediate { get; }

    public string RootPem => Root.ExportCertificatePem() + "\n";

    public string IntermediatePem => Intermediate.ExportCertificatePem() + "\n";

    /// <summary>Issues a certificate for servers; each parameter is what may be wrong with it.</summary>
    /// <param name="host">The name that it is for; <see langword="null"/>: a common name alone.</param>
    /// <param name="begin">Its begin, in days from now.</param>
    /// <param name="end">Its end, in days from now.</param>
    /// <param name="keySize">Bits of its RSA key.</param>
    /// <param name="usage">Its extended key usage.</param>
    public Issued Issue(
        string? host, double begin = -1, double end = 300, int keySize = 2048, string usage = "1.3.6.1.5.5.7.3.1")
    {
        var now = TimeProvider.System.GetUtcNow();
        using var key = RSA.Create(keySize);
        var request = new CertificateRequest(
            "CN=" + (host ?? "registry.gateway.test"), key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        if (host is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            if (IPAddress.TryParse(host, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }

            request.CertificateExtensions.Add(names.Build());
        }

        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        using var certificate = request.Create(
            Intermediate.SubjectName, X509SignatureGenerator.CreateForRSA(_intermediateKey, RSASignaturePadding.Pkcs1),
            now.AddDays(begin), now.AddDays(end), RandomNumberGenerator.GetBytes(8));
        return new Issued(certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>The same, signed with SHA-1, which .NET does not do any more.</summary>
    public Issued IssueWithSha1(string host)
    {
        var issued = Issue(host);
        var folder = Directory.CreateTempSubdirectory("gateway-sha1-").FullName;
        try
        {
            string At(string name, string? text = null)
            {
                var path = Path.Combine(folder, name);
                if (text is not null)
                {
                    File.WriteAllText(path, text);
                }

                return path;
            }

            Cli.RunAsync("openssl", [
                "req", "-new", "-key", At("tls.key", issued.Key), "-subj", "/CN=" + host, "-addext",
                "subjectAltName=DNS:" + host, "-out", At("tls.csr")])
                .GetAwaiter().GetResult().Succeeded();
            Cli.RunAsync("openssl", [
                "x509", "-req", "-in", At("tls.csr"), "-copy_extensions", "copy", "-sha1", "-CA",
                At("ca.crt", IntermediatePem), "-CAkey", At("ca.key", _intermediateKey.ExportPkcs8PrivateKeyPem()),
                "-set_serial", "99", "-days", "300", "-out", At("out.crt")]).GetAwaiter().GetResult().Succeeded();
            return issued with { Certificate = File.ReadAllText(At("out.crt")) };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public void Dispose()
    {
        Root.Dispose();
        Intermediate.Dispose();
        _rootKey.Dispose();
        _intermediateKey.Dispose();
    }

    private static CertificateRequest Authority(string name, RSA key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request;
    }

    /// <summary>A certificate and its key, PEM.</summary>
    internal sealed record Issued(string Certificate, string Key);
}
