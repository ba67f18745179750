using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.ClientCertificates;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.SignIn.ClientCertificates;

/// <summary>Revocation lists: on sign-in, on open connections, and on tokens issued before.</summary>
public sealed class RevocationTests
{
    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reload_ListWithTheCertificate_EndsConnectionAndToken(bool asPem)
    {
        await using var stage = await CertificateStage.StartAsync(withList: true);
        var certificate = stage.Authority.Issue();
        var client = stage.Client(certificate);
        var neighbour = stage.Client(stage.Authority.Issue());
        await ClientCertificateTrustTests.AssertServedAsync(client);
        var token = CertificateStage.Bearer(await CertificateStage.TokenAsync(client));
        var kept = CertificateStage.Bearer(await CertificateStage.TokenAsync(neighbour));
        Assert.Equal(
            HttpStatusCode.OK, (await CertificateStage.SendAsync(stage.Gateway.Client, headers: token)).Status);

        var list = stage.Authority.Revoke(null, certificate);
        await stage.ReplaceAsync(
            stage.ListFile, asPem ? Encoding.ASCII.GetBytes(PemEncoding.WriteString("X509 CRL", list)) : list);

        await ClientCertificateTrustTests.AssertRefusedAsync(stage, client, "it was revoked");
        var answer = await CertificateStage.SendAsync(stage.Gateway.Client, headers: token);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Contains(
            "the client certificate that it was issued for was revoked", answer.Body, StringComparison.Ordinal);
        await ClientCertificateTrustTests.AssertServedAsync(neighbour);
        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(stage.Gateway.Client, headers: kept)).Status);
    }

    [Fact]
    public async Task Reload_ListWithTheIntermediate_EndsWhatItIssued()
    {
        await using var stage = await CertificateStage.StartAsync(withList: true);
        var intermediate = stage.Authority.CreateIntermediate();
        var client = stage.Client(intermediate.Issue(), intermediate);
        await ClientCertificateTrustTests.AssertServedAsync(client);
        var token = CertificateStage.Bearer(await CertificateStage.TokenAsync(client));

        await stage.ReplaceAsync(stage.ListFile, stage.Authority.Revoke(null, intermediate.Certificate));

        await ClientCertificateTrustTests.AssertRefusedAsync(
            stage, client, "the certificate of its authority was revoked");
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await CertificateStage.SendAsync(stage.Gateway.Client, headers: token)).Status);
    }

    [Fact]
    public async Task Reload_AuthorityWithANewKey_RevokesCertificatesOfTheOldOne()
    {
        await using var stage = await CertificateStage.StartAsync(withList: true);
        var certificate = stage.Authority.Issue();
        var client = stage.Client(certificate);
        await ClientCertificateTrustTests.AssertServedAsync(client);
        var renewed = ClientAuthority.CreateRoot(); // the same name

        await stage.ReplaceAsync(stage.AuthoritiesFile, Encoding.ASCII.GetBytes(stage.Authority.Pem + renewed.Pem));
        await stage.ReplaceAsync(stage.ListFile, renewed.Revoke(null, certificate));

        await ClientCertificateTrustTests.AssertRefusedAsync(stage, client, "it was revoked");
    }

    [Theory]
    [InlineData(ExpiredRevocationLists.Refuse, HttpStatusCode.ServiceUnavailable, "\"revocationLists\":\"down\"")]
    [InlineData(ExpiredRevocationLists.Tolerate, HttpStatusCode.OK, "\"revocationLists\":\"down\"")]
    public async Task Request_ExpiredList_IsUndecidedOrTolerated(
        ExpiredRevocationLists mode, HttpStatusCode status, string health)
    {
        await using var stage = await CertificateStage.StartAsync(
            options => options.ExpiredRevocationLists = mode, withList: true);
        var revoked = stage.Authority.Issue();
        await stage.ReplaceAsync(stage.ListFile, stage.Authority.Revoke(Now.AddHours(1), revoked));
        var client = stage.Client(stage.Authority.Issue());
        await ClientCertificateTrustTests.AssertServedAsync(client);

        stage.Clock.Advance(TimeSpan.FromHours(2));

        Assert.Equal(status, (await CertificateStage.SendAsync(client)).Status);
        // What is on it stays refused, as a password stays good.
        Assert.Equal(HttpStatusCode.Unauthorized, (await CertificateStage.SendAsync(stage.Client(revoked))).Status);
        using var alice = await stage.Gateway.SendAsync(HttpMethod.Get, CertificateStage.Manifest, "alice");
        Assert.Equal(HttpStatusCode.OK, alice.StatusCode);
        using var ready = await stage.Gateway.SendAsync(HttpMethod.Get, "/readyz");
        Assert.Contains(health, await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);

        await stage.ReplaceAsync(stage.AuthoritiesFile, Encoding.ASCII.GetBytes(stage.Authority.Pem + "\n"));
        await Eventually.TrueAsync(() => stage.Log.Lines.Any(static line =>
            line.Contains(
                "the revocation list of \"CN=Client root\" should have been replaced", StringComparison.Ordinal)));

        await stage.ReplaceAsync(stage.ListFile, stage.Authority.Revoke(null));

        await ClientCertificateTrustTests.AssertServedAsync(client);
    }

    [Fact]
    public void Load_ListThatCannotBeUsed_IsRefusedWithTheFix()
    {
        using var folder = new TemporaryFolder();
        var authority = ClientAuthority.CreateRoot();
        var options = new ClientCertificateOptions
        {
            CertificateAuthorities = folder.Write("clients.crt", authority.Pem),
            RevocationLists = [Path.Combine(folder.Path, "clients.crl")],
        };

        Assert.Contains("the file cannot be read", ProblemOf(null), StringComparison.Ordinal);
        Assert.Contains("the file is not a revocation list", ProblemOf([0x30, 0x01, 0x00]), StringComparison.Ordinal);
        Assert.Contains(
            "there is no revocation list in the file", ProblemOf("hello"u8.ToArray()), StringComparison.Ordinal);
        Assert.Contains(
            "belongs to an authority that is not trusted", ProblemOf(ClientAuthority.CreateRoot("Other").Revoke(null)),
            StringComparison.Ordinal);
        Assert.Contains(
            "is not signed by its authority", ProblemOf(ClientAuthority.CreateRoot().Revoke(null)),
            StringComparison.Ordinal);
        var changed = authority.Revoke(null, authority.Issue());
        changed[^1] ^= 1;
        Assert.Contains("is not signed by its authority", ProblemOf(changed), StringComparison.Ordinal);
        Assert.Contains(
            "is not signed by its authority", ProblemOf(authority.WriteList(hash: HashAlgorithmName.SHA1)),
            StringComparison.Ordinal);
        Assert.Contains(
            "does not say when its next update is due", ProblemOf(authority.WriteList(nextUpdate: false)),
            StringComparison.Ordinal);
        // a list of changes; one for some of the certificates
        foreach (var partial in new[] { "2.5.29.27", "2.5.29.28" })
        {
            Assert.Contains(
                "the list is a part", ProblemOf(authority.WriteList(criticalExtension: partial)),
                StringComparison.Ordinal);
        }

        Assert.Null(ProblemOf(authority.WriteList()));
        Assert.Null(ProblemOf(authority.Revoke(null)));
        var signsNoLists = ClientAuthority.CreateRoot(usage: X509KeyUsageFlags.KeyCertSign);
        File.WriteAllText(options.CertificateAuthorities, signsNoLists.Pem);
        Assert.Contains(
            "is not signed by its authority", ProblemOf(signsNoLists.WriteList()), StringComparison.Ordinal);

        string? ProblemOf(byte[]? content)
        {
            File.Delete(options.RevocationLists[0]);
            if (content is not null)
            {
                File.WriteAllBytes(options.RevocationLists[0], content);
            }

            try
            {
                ClientCertificateTrustReader.Load(options);
                return null;
            }
            catch (ProblemException exception)
            {
                return Assert.Single(exception.Problems).ToString();
            }
        }
    }

    [Fact]
    public void Load_FileOfSeveralListsCutAnywhere_NeverRevokesLess()
    {
        using var folder = new TemporaryFolder();
        var (one, other) = (ClientAuthority.CreateRoot("One"), ClientAuthority.CreateRoot("Other"));
        var whole = PemEncoding.WriteString("X509 CRL", one.Revoke(null)) + "\n"
            + PemEncoding.WriteString("X509 CRL", other.Revoke(null)) + "\n";
        var options = new ClientCertificateOptions
        {
            CertificateAuthorities = folder.Write("clients.crt", one.Pem + other.Pem),
            RevocationLists = [folder.Write("clients.crl", whole)],
        };
        var inForce = ClientCertificateTrustReader.Load(options);
        Assert.Equal(2, ClientCertificateTrustReader.Load(options, inForce).Lists.Count);

        for (var length = 0; length < whole.TrimEnd().Length; length++)
        {
            folder.Write("clients.crl", whole[..length]);
            Assert.Throws<ProblemException>(() => ClientCertificateTrustReader.Load(options, inForce));
        }

        // A start has nothing to compare with, and tells what is cut within a list all the same.
        folder.Write("clients.crl", whole[..(whole.Length * 3 / 4)]);
        Assert.Contains(
            "a PEM block of the file is broken or cut off",
            Assert.Single(
                Assert.Throws<ProblemException>(() => ClientCertificateTrustReader.Load(options)).Problems).What,
            StringComparison.Ordinal);

        // An authority that is no longer trusted needs no list.
        folder.Write("clients.crt", one.Pem);
        folder.Write("clients.crl", PemEncoding.WriteString("X509 CRL", one.Revoke(null)));
        Assert.Single(ClientCertificateTrustReader.Load(options, inForce).Lists);
    }

    [Fact]
    public void Load_AuthoritiesThatCannotBeUsed_AreRefusedWithTheFix()
    {
        using var folder = new TemporaryFolder();
        var root = ClientAuthority.CreateRoot();

        Assert.Contains("holds intermediates only", ProblemOf(root.CreateIntermediate().Pem), StringComparison.Ordinal);
        Assert.Contains(
            "there is no certificate in the file", ProblemOf(PemEncoding.WriteString("X509 CRL", root.Revoke(null))),
            StringComparison.Ordinal);
        Assert.Contains(
            "is not a certificate", ProblemOf("-----BEGIN CERTIFICATE-----\neA==\n-----END CERTIFICATE-----\n"),
            StringComparison.Ordinal);
        Assert.Contains("the file is not PEM", ProblemOf("hello"), StringComparison.Ordinal);

        string ProblemOf(string text) =>
            Assert.Single(Assert.Throws<ProblemException>(() => ClientCertificateTrustReader.Load(
            new ClientCertificateOptions { CertificateAuthorities = folder.Write("clients.crt", text) })).Problems)
                .ToString();
    }

    [Fact]
    public void Read_DamagedList_NeverThrowsAnythingElse()
    {
        var authority = ClientAuthority.CreateRoot();
        var list = authority.Revoke(null, authority.Issue(), authority.Issue());
        var random = new Random(17);
        for (var i = 0; i < 2000; i++)
        {
            var damaged = list.ToArray();
            damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                RevocationList.Read(damaged);
            }
            catch (System.Formats.Asn1.AsnContentException)
            {
                // what is not a list is told by this alone
            }
        }
    }
}
