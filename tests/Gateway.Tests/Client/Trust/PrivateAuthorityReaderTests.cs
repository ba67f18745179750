using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Trust;
using Gateway.Tests.Server.Requests.Tls;
using Gateway.Tests.Support;

namespace Gateway.Tests.Client.Trust;

/// <summary>What is trusted and handed out, and what is not, each beside its neighbour.</summary>
public sealed class PrivateAuthorityReaderTests : IDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private static readonly TestAuthority Root = TestAuthority.CreateRoot("Test authority");
    private static readonly string RootPem = PrivateAuthority.PemOf(Root.Certificate);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_Root_IsTakenWithoutAWord()
    {
        var authority = Read("subject=CN = whatever\n" + RootPem + RootPem);

        Assert.Empty(authority.Warnings);
        Assert.Equal(RootPem, authority.Pem); // once, and nothing else
        Assert.Equal(
            Convert.ToHexString(SHA256.HashData(Root.Certificate.RawData)),
            PrivateAuthority.FingerprintOf(authority.Certificates[0]).Replace(":", "", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_TwoRoots_AreBothTaken() =>
        Assert.Equal(
            2,
            Read(
                RootPem + PrivateAuthority.PemOf(TestAuthority.CreateRoot("The next").Certificate)).Certificates.Count);

    [Fact]
    public void Read_IntermediateAlone_IsTakenWithAWarning()
    {
        var intermediate = PrivateAuthority.PemOf(Root.CreateIntermediate("Issuer").Certificate);

        Assert.Contains("intermediate", Assert.Single(Read(intermediate).Warnings).What, StringComparison.Ordinal);
        Assert.Empty(Read(intermediate + RootPem).Warnings);
    }

    [Fact]
    public void Read_ServersOwn_IsRefusedUnlessItSignedItself()
    {
        var leaf = Root.Issue(["registry.example.com"]);
        AssertRefused(leaf.CertificatePem, "server's certificate", "CN=registry.example.com", "CN=Test authority");
        AssertRefused(leaf.CertificatePem + RootPem, "server's certificate"); // a chain

        TestCertificates.Write(_folder.Path, "registry.example.com");
        var own = Read(File.ReadAllText(Path.Combine(_folder.Path, "tls.crt")));
        Assert.Contains("self-signed", Assert.Single(own.Warnings).What, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_PrivateKey_IsRefused()
    {
        var key = Root.Certificate.GetECDsaPrivateKey()!;
        AssertRefused(RootPem + key.ExportPkcs8PrivateKeyPem(), "private key", "must not be published", "openssl x509");
        AssertRefused(key.ExportECPrivateKeyPem() + "\n" + RootPem, "private key", "EC PRIVATE KEY");
        AssertRefused(
            RootPem
                + key.ExportEncryptedPkcs8PrivateKeyPem(
                    "x", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1)),
            "private key", "ENCRYPTED");
    }

    [Fact]
    public void Read_Times()
    {
        var old = Make(-20, -1);
        AssertRefused(old, "has expired");
        Assert.Contains(
            "has expired", Assert.Single(Read(old, mayBeExpired: true).Warnings).What, StringComparison.Ordinal);
        Assert.Contains("expires soon", Assert.Single(Read(Make(-20, 20)).Warnings).What, StringComparison.Ordinal);
        Assert.Contains("not valid yet", Assert.Single(Read(Make(1, 200)).Warnings).What, StringComparison.Ordinal);
        Assert.Empty(Read(Make(-20, 40)).Warnings);
    }

    [Fact]
    public void Read_AuthorityThatMaySignNothing_IsRefused() =>
        AssertRefused(Make(-20, 200, X509KeyUsageFlags.CrlSign), "may not sign");

    [Theory]
    [InlineData("", "empty")]
    [InlineData("hello", "not PEM")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a certificate")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n", "cut off")]
    [InlineData("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "no certificate")]
    public void Read_SomethingElse_IsRefused(string text, string word) => AssertRefused(text, word);

    private PrivateAuthority Read(string text, bool mayBeExpired = false) =>
        PrivateAuthorityReader.Read(_folder.Write("ca.crt", text), "--ca", Now, mayBeExpired);

    private void AssertRefused(string text, params string[] words)
    {
        var problem = Assert.Single(Assert.Throws<ProblemException>(() => Read(text)).Problems).ToString();
        Assert.All([.. words, "--ca"], word => Assert.Contains(word, problem, StringComparison.Ordinal));
    }

    private static string Make(int begin, int end, X509KeyUsageFlags usage = X509KeyUsageFlags.KeyCertSign)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Another authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        using var certificate = request.CreateSelfSigned(Now.AddDays(begin), Now.AddDays(end));
        return PrivateAuthority.PemOf(certificate);
    }
}
