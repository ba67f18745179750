using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Tls;

namespace Gateway.Tests.Server.Requests.Tls;

public sealed class CertificateSetTests : IDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private static readonly Uri PublicUrl = new("https://localhost");
    private readonly TestAuthority _root = TestAuthority.CreateRoot();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_GoodPair_TellsWhatIsKnownAndWarnsOfNothing()
    {
        var pair = _root.Issue(["localhost", "*.example.com", "127.0.0.1", "::1"], RSA.Create(3072));

        var set = Load(_folder.Write("tls", pair));

        var served = Assert.Single(set.Certificates);
        Assert.Equal(["localhost", "*.example.com", "127.0.0.1", "::1"], served.Names);
        Assert.Equal("CN=localhost", served.Subject);
        Assert.Equal("CN=Test root", served.Issuer);
        Assert.Equal("RSA 3072", served.KeyAlgorithm);
        Assert.Equal(_folder["tls.crt"], served.File);
        Assert.Equal(pair.Certificate.NotAfter.ToUniversalTime(), served.NotAfter.UtcDateTime);
        Assert.Equal(pair.Certificate.NotBefore.ToUniversalTime(), served.NotBefore.UtcDateTime);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(pair.Certificate.RawData)), served.Fingerprint);
        Assert.Empty(set.Warnings);
        Assert.Empty(set.ExpiryWarnings(Now));
    }

    [Fact]
    public void Load_CertificateAndKeyInOneFile_IsAccepted()
    {
        var pair = _root.Issue(["localhost"]);
        var file = _folder.Write("both.pem", "Subject: something openssl wrote\n" + pair.KeyPem + pair.CertificatePem);

        Assert.Single(Load(new CertificateOptions { Certificate = file, Key = file }).Certificates);
    }

    [Fact]
    public void Select_RsaAndEcdsaForOneName_PrefersEcdsa()
    {
        var rsa = _root.Issue(["localhost", "only-rsa.test"], RSA.Create(2048));
        var set = Load(_folder.Write("rsa", rsa), _folder.Write("ecdsa", _root.Issue(["localhost"])));

        Assert.True(set.Select("localhost").IsEcdsa);
        Assert.False(set.Select("only-rsa.test").IsEcdsa);
        Assert.False(set.Select("").IsEcdsa); // the first configured
    }

    [Fact]
    public void Select_TwoPairsOfOneKindForOneName_TakesTheFirst()
    {
        var set = Load(
            _folder.Write("a", _root.Issue(["localhost"])), _folder.Write("b", _root.Issue(["localhost"])));

        Assert.Equal(_folder["a.crt"], set.Select("localhost").Served.File);
    }

    [Fact]
    public void Load_SeveralBadPairs_TellsEveryProblem()
    {
        var good = _root.Issue(["localhost"]);
        var other = _root.Issue(["localhost"]);
        var cut = good.CertificatePem[..200];
        var options = new TlsOptions
        {
            Certificates =
            [
                Pair(_folder["missing.crt"], _folder["missing.key"]),
                Pair(_folder.Write("empty.crt", ""), _folder.Write("garbage.key", "not a key")),
                Pair(_folder.Write("cut.crt", "\n\n" + cut), _folder.Write("good.key", good.KeyPem)),
                Pair(_folder.Write("good.crt", good.CertificatePem), _folder.Write("other.key", other.KeyPem)),
                Pair(_folder["good.crt"], _folder.Write("encrypted.key", good.Key.ExportEncryptedPkcs8PrivateKeyPem(
                    "secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)))),
                Pair(_folder["good.crt"], _folder.Write("legacy.key",
                    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n"
                    + "-----END RSA PRIVATE KEY-----\n")),
                Pair(_folder["good.key"], _folder["good.crt"]),
                Pair(_folder.Write("order.crt", _root.Certificate.ExportCertificatePem() + "\n" + good.CertificatePem),
                    _folder["good.key"]),
                Pair(
                    _folder.Write("der.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                    _folder["good.key"]),
                Pair(_folder["good.crt"], _folder.Write("two.key", good.KeyPem + other.KeyPem)),
                Pair(
                    _folder["good.crt"],
                    _folder.Write("x.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")),
                _folder.Write("weak", _root.Issue(["localhost"], RSA.Create(1024))),
                _folder.Write("sha1", _root.Issue(["localhost"], sha1: true)),
                Pair(_folder.Root, _folder["good.key"]),
            ],
        };

        var exception = Assert.Throws<ProblemException>(() => CertificateSet.Load(options, PublicUrl, Now));

        var lines = exception.Problems.Select(p => p.ToString().Replace(_folder.Root, "DIR", StringComparison.Ordinal));
        Assert.Equal(
            [
                "DIR/missing.crt: tls.certificates[0].certificate: no such file (found \"DIR/missing.crt\"). "
                    + "Put the file there or correct the path, which is relative to the configuration file's folder.",
                "DIR/missing.key: tls.certificates[0].key: no such file (found \"DIR/missing.key\"). "
                    + "Put the file there or correct the path, which is relative to the configuration file's folder.",
                "DIR/empty.crt: tls.certificates[1].certificate: the file is empty. Write the complete file again.",
                "DIR/garbage.key: tls.certificates[1].key: the file is not PEM. Name a text file with -----BEGIN … "
                    + "lines; convert DER with openssl x509 or openssl pkey (-inform DER), and PKCS#12 with openssl "
                    + "pkcs12 -nodes.",
                "DIR/cut.crt:3: tls.certificates[2].certificate: the PEM block that begins here is broken or cut off. "
                    + "Write the complete file again.",
                "DIR/other.key: tls.certificates[3].key: the key does not belong to the certificate in DIR/good.crt "
                    + "(found \"CN=localhost\"). Use the key that the certificate was issued for; openssl x509 -noout "
                    + "-pubkey -in CERTIFICATE and openssl pkey -pubout -in KEY must print the same.",
                "DIR/encrypted.key:1: tls.certificates[4].key: the private key is encrypted. The gateway has no "
                    + "password for it: decrypt it with openssl pkey -in KEY -out NEWKEY, readable only by the "
                    + "gateway (mode 0600).",
                "DIR/legacy.key:1: tls.certificates[5].key: the private key is encrypted. The gateway has no password "
                    + "for it: decrypt it with openssl pkey -in KEY -out NEWKEY, readable only by the gateway (mode "
                    + "0600).",
                "DIR/good.key: tls.certificates[6].certificate: there is no certificate in the file (found \"PRIVATE "
                    + "KEY\"). Name the file with -----BEGIN CERTIFICATE-----; check whether certificate and key are "
                    + "swapped.",
                "DIR/good.crt: tls.certificates[6].key: there is no private key in the file (found \"CERTIFICATE\"). "
                    + "Name a file with one private key, RSA or ECDSA, as PKCS#8, PKCS#1 or SEC1.",
                $"DIR/order.crt:{LineCount(_root) + 1}: tls.certificates[7].certificate: the key's certificate is not "
                    + "the first in the file (found \"CN=Test root\"). Put it first, then each intermediate after the "
                    + "certificate that it issued.",
                "DIR/der.crt:1: tls.certificates[8].certificate: the block that begins here is not a certificate. "
                    + "Write the complete file again.",
                "DIR/two.key: tls.certificates[9].key: there are 2 private keys in the file (found \"PRIVATE KEY, "
                    + "PRIVATE KEY\"). Name a file with one private key, RSA or ECDSA, as PKCS#8, PKCS#1 or SEC1.",
                "DIR/x.key:1: tls.certificates[10].key: the private key is damaged, or of a kind that the gateway "
                    + "does not serve (found \"PRIVATE KEY\"). Use an RSA or ECDSA (P-256, P-384, P-521) key and a "
                    + "certificate for it.",
                "DIR/weak.crt: tls.certificates[11].certificate: the RSA key is too short (found \"1024 bits\"). "
                    + "Have a certificate issued for a new key: ECDSA P-256, or RSA with 2048 bits or more.",
                "DIR/sha1.crt: tls.certificates[12].certificate: the certificate is signed with a broken algorithm "
                    + "(found \"sha1ECDSA\"). Have it reissued, signed with SHA-256.",
                "DIR: tls.certificates[13].certificate: this is a folder (found \"DIR\"). Name the PEM file in it.",
            ],
            lines);
    }

    [Fact]
    public void Load_NoCertificateConfigured_IsAProblem()
    {
        var exception = Assert.Throws<ProblemException>(() => CertificateSet.Load(new TlsOptions(), PublicUrl, Now));

        Assert.Equal(
            "tls.certificates: there is no certificate. Name at least one certificate and its key; gateway dev-cert "
            + "creates a pair for testing.",
            exception.Message);
    }

    [Fact]
    public void Load_PairThatClientsRefuse_IsServedWithWarnings()
    {
        var noNames = _root.Issue([], change: static request => request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false)));

        var set = Load(_folder.Write("tls", noNames));

        Assert.Equal(
            [
                "DIR/tls.crt:1: tls.certificates[0].certificate: the certificate names no host in its subject "
                    + "alternative name (found \"CN=registry.example.com\"). Have it issued with one "
                    + "(DNS:registry.example.com): docker and browsers ignore the common name.",
                "DIR/tls.crt:1: tls.certificates[0].certificate: the certificate is not meant for servers "
                    + "(found \"TLS Web Client Authentication\"). Have it issued with the extended key usage "
                    + "serverAuth; clients refuse it as it is.",
                "DIR/tls.crt: publicUrl: no certificate covers its host, so clients refuse the connection "
                    + "(found \"localhost\"). Add a certificate for it, or correct publicUrl; the certificates are for "
                    + "no name at all.",
            ],
            Lines(set.Warnings));
    }

    [Theory]
    [InlineData("https://registry.example.com:8443", true)]
    [InlineData("https://a.wild.example.com", true)]
    [InlineData("https://a.b.wild.example.com", false)]
    [InlineData("https://127.0.0.1:8443", true)]
    [InlineData("https://[::1]:8443", true)]
    [InlineData("https://10.0.0.1", false)]
    [InlineData("https://bücher.test", true)]
    public void Load_PublicUrl_IsWarnedOfUnlessCovered(string publicUrl, bool covered)
    {
        var pair = _folder.Write("tls", _root.Issue(
            ["registry.example.com", "*.wild.example.com", "127.0.0.1", "::1", "xn--bcher-kva.test"]));

        var set = CertificateSet.Load(new TlsOptions { Certificates = [pair] }, new Uri(publicUrl), Now);

        Assert.Equal(covered, set.Warnings.Count == 0);
    }

    [Fact]
    public void Load_MissingIntermediateThatBrowsersWouldFetch_IsWarnedOf()
    {
        var intermediate = _root.CreateIntermediate("Intermediate");
        var pair = intermediate.Issue(["localhost"], change: static request => request.CertificateExtensions.Add(
            new X509AuthorityInformationAccessExtension([], ["http://ca.test/intermediate.crt"])));

        Assert.Equal(
            [
                "DIR/tls.crt: tls.certificates[0].certificate: the intermediate certificate is missing "
                    + "(found \"CN=Intermediate\"). Append it (it is at http://ca.test/intermediate.crt), or name the "
                    + "issuer's full chain (fullchain.pem): docker does not fetch it.",
            ],
            Lines(Load(_folder.Write("tls", pair)).Warnings));
        Assert.Empty(Load(_folder.Write("tls", pair, intermediate)).Warnings);
    }

    [Theory]
    [InlineData(-100, -1, "the certificate of localhost has expired")]
    [InlineData(1, 90, "the certificate of localhost is not valid yet")]
    [InlineData(-60, 29.5, "the certificate of localhost expires in 29 days")]
    [InlineData(-60, 31, null)]
    public void ExpiryWarnings_AtTheStart_WarnButServe(double from, double to, string? expected)
    {
        var pair = _root.Issue(["localhost"], null, Now.AddDays(from), Now.AddDays(to));

        var set = Load(_folder.Write("tls", pair));

        Assert.Equal(expected, set.ExpiryWarnings(Now).SingleOrDefault()?.What);
    }

    [Theory]
    [InlineData(-100, -1)]
    [InlineData(1, 90)]
    public void Load_InvalidInPlaceOfValid_IsRefused(double from, double to)
    {
        var options = _folder.Write("tls", _root.Issue(["localhost"]));
        var inForce = Load(options);
        _folder.Write("tls", _root.Issue(["localhost"], null, Now.AddDays(from), Now.AddDays(to)));

        var exception = Assert.Throws<ProblemException>(
            () => CertificateSet.Load(new TlsOptions { Certificates = [options] }, PublicUrl, Now, inForce));

        Assert.EndsWith(
            "Replace it with a valid one; the certificate in force is still valid.", exception.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_InvalidInPlaceOfInvalid_IsAccepted()
    {
        var options = _folder.Write("tls", _root.Issue(["localhost"], null, Now.AddDays(-9), Now.AddDays(-8)));
        var inForce = Load(options);
        var newer = _root.Issue(["localhost"], null, Now.AddDays(-9), Now.AddDays(-1));
        _folder.Write("tls", newer);

        var set = CertificateSet.Load(new TlsOptions { Certificates = [options] }, PublicUrl, Now, inForce);

        Assert.Equal(newer.Certificate.NotAfter.ToUniversalTime(), set.Certificates[0].NotAfter.UtcDateTime);
    }

    private static CertificateOptions Pair(string certificate, string key) =>
        new() { Certificate = certificate, Key = key };

    private static int LineCount(TestAuthority authority) =>
        authority.Certificate.ExportCertificatePem().Split('\n').Length;

    private static CertificateSet Load(params CertificateOptions[] pairs) =>
        CertificateSet.Load(new TlsOptions { Certificates = [.. pairs] }, PublicUrl, Now);

    private IEnumerable<string> Lines(IEnumerable<Problem> problems) =>
        problems.Select(p => p.ToString().Replace(_folder.Root, "DIR", StringComparison.Ordinal));
}
