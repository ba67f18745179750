using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Server.Requests.Tls;

namespace Gateway.Tests.Support;

/// <summary>A self-signed pair for tests that are not about certificates; its key is made at run time.</summary>
internal static class TestCertificates
{
    public static CertificateOptions Write(string folder, string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        names.AddDnsName("*." + host);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(100));
        var options = new CertificateOptions
        {
            Certificate = Path.Combine(folder, "tls.crt"),
            Key = Path.Combine(folder, "tls.key"),
        };
        File.WriteAllText(options.Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(options.Key, key.ExportPkcs8PrivateKeyPem());
        return options;
    }
}
