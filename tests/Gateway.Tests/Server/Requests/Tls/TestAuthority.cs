using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Tests.Server.Requests.Tls;

/// <summary>Issues certificates for tests; every key is made at run time.</summary>
internal sealed class TestAuthority
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private TestAuthority(X509Certificate2 certificate) => Certificate = certificate;

    public X509Certificate2 Certificate { get; }

    public static TestAuthority CreateRoot(string name = "Test root")
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = AuthorityRequest(name, key);
        return new TestAuthority(request.CreateSelfSigned(Now.AddYears(-2), Now.AddYears(20)));
    }

    public TestAuthority CreateIntermediate(string name)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = AuthorityRequest(name, key);
        using var certificate = request.Create(Certificate, Now.AddYears(-1), Now.AddYears(15), Serial());
        return new TestAuthority(certificate.CopyWithPrivateKey(key));
    }

    public TestPair Issue(
        string[] names,
        AsymmetricAlgorithm? key = null,
        DateTimeOffset? notBefore = null,
        DateTimeOffset? notAfter = null,
        Action<CertificateRequest>? change = null,
        bool sha1 = false)
    {
        key ??= ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedName("CN=" + (names.Length > 0 ? names[0] : "registry.example.com"));
        var request = key is ECDsa ecdsa
            ? new CertificateRequest(subject, ecdsa, HashAlgorithmName.SHA256)
            : new CertificateRequest(
                subject, (RSA)key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        if (names.Length > 0)
        {
            var builder = new SubjectAlternativeNameBuilder();
            foreach (var name in names)
            {
                if (IPAddress.TryParse(name, out var address))
                {
                    builder.AddIpAddress(address);
                }
                else
                {
                    builder.AddDnsName(name);
                }
            }

            request.CertificateExtensions.Add(builder.Build());
        }

        change?.Invoke(request);
        var issuerKey = Certificate.GetECDsaPrivateKey()!;
        var generator = sha1 ? new Sha1Generator(issuerKey) : X509SignatureGenerator.CreateForECDsa(issuerKey);
        using var certificate = request.Create(
            Certificate.SubjectName, generator, notBefore ?? Now.AddDays(-1), notAfter ?? Now.AddDays(90), Serial());
        return new TestPair(X509CertificateLoader.LoadCertificate(certificate.RawData), key);
    }

    private static CertificateRequest AuthorityRequest(string name, ECDsa key)
    {
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(12);
        serial[0] &= 0x7F;
        return serial;
    }

    private sealed class Sha1Generator(ECDsa key) : X509SignatureGenerator
    {
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) =>
            [0x30, 0x09, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x01]; // ecdsa-with-SHA1

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) =>
            key.SignData(data, HashAlgorithmName.SHA1, DSASignatureFormat.Rfc3279DerSequence);

        protected override PublicKey BuildPublicKey() => new(key);
    }
}

/// <summary>A certificate and its key.</summary>
internal sealed record TestPair(X509Certificate2 Certificate, AsymmetricAlgorithm Key)
{
    public string CertificatePem => Certificate.ExportCertificatePem() + "\n";

    public string KeyPem => Key.ExportPkcs8PrivateKeyPem() + "\n";
}
