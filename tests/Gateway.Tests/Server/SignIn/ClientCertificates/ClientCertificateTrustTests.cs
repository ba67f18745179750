using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.SignIn.ClientCertificates;

/// <summary>Which certificates are good, and that what is wrong with one is told in words.</summary>
public sealed class ClientCertificateTrustTests
{
    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task Request_CertificateOfAnotherAuthority_IsRefused()
    {
        await using var stage = await CertificateStage.StartAsync();
        // The same name, another key: only the signature tells them apart.
        var other = ClientAuthority.CreateRoot();

        await AssertRefusedAsync(
            stage, stage.Client(other.Issue()), "it is not signed by the trusted authority that it names");
        await AssertRefusedAsync(
            stage, stage.Client(ClientAuthority.CreateRoot("Another root").Issue()),
            "no authority that is trusted here issued it");
        await AssertServedAsync(stage.Client(stage.Authority.Issue()));
    }

    [Fact]
    public async Task Request_SelfSignedCertificate_IsRefused()
    {
        await using var stage = await CertificateStage.StartAsync();
        var own = ClientAuthority.CreateRoot("carol");

        await AssertRefusedAsync(stage, stage.Client(own.Certificate), "no authority that is trusted here issued it");
    }

    [Fact]
    public async Task Request_CertificateOutsideItsTime_IsRefused()
    {
        await using var stage = await CertificateStage.StartAsync();

        await AssertRefusedAsync(
            stage, stage.Client(stage.Authority.Issue(notAfter: Now.AddHours(-1))), "it expired at ");
        await AssertRefusedAsync(
            stage, stage.Client(stage.Authority.Issue(notBefore: Now.AddHours(1))), "it is not valid before ");
    }

    [Fact]
    public async Task Request_CertificateThatExpiresOnAnOpenConnection_IsRefusedFromThenOn()
    {
        await using var stage = await CertificateStage.StartAsync();
        var client = stage.Client(stage.Authority.Issue(notAfter: Now.AddMinutes(30)));
        await AssertServedAsync(client);
        var token = await CertificateStage.TokenAsync(client);

        stage.Clock.Advance(TimeSpan.FromMinutes(28));
        await AssertServedAsync(client);
        stage.Clock.Advance(TimeSpan.FromMinutes(3));

        await AssertRefusedAsync(stage, client, "it expired at ");
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await CertificateStage.SendAsync(
                stage.Gateway.Client, headers: ("Authorization", "Bearer " + token))).Status);
    }

    [Fact]
    public async Task Token_CertificateThatEndsSoon_EndsWithIt()
    {
        await using var stage = await CertificateStage.StartAsync();
        var client = stage.Client(stage.Authority.Issue(notAfter: Now.AddSeconds(100)));
        var token = await CertificateStage.TokenAsync(client);
        var authorization = CertificateStage.Bearer(token);
        Assert.Equal(
            HttpStatusCode.OK, (await CertificateStage.SendAsync(stage.Gateway.Client, headers: authorization)).Status);

        // Without the leeway that clocks are given, and long before the five minutes of a token.
        stage.Clock.Advance(TimeSpan.FromSeconds(101));

        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await CertificateStage.SendAsync(stage.Gateway.Client, headers: authorization)).Status);
    }

    [Theory]
    [InlineData(ClientAuthority.ServerAuthentication)]
    [InlineData("")]
    [InlineData("2.5.29.37.0")] // any
    public async Task Request_CertificateNotForClients_IsRefused(string usage)
    {
        await using var stage = await CertificateStage.StartAsync();

        await AssertRefusedAsync(
            stage, stage.Client(stage.Authority.Issue(usage: usage)), "it is not meant for clients");
    }

    [Fact]
    public async Task Request_CertificateOfAnAuthority_IsRefused()
    {
        await using var stage = await CertificateStage.StartAsync();
        var authority = stage.Authority.Issue(change: static request =>
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true)));

        await AssertRefusedAsync(stage, stage.Client(authority), "an authority's certificate");
    }

    [Fact]
    public async Task Request_AuthorityWithNameConstraints_VouchesForThoseNamesOnly()
    {
        await using var stage = await CertificateStage.StartAsync();
        // permittedSubtrees: rfc822Name example.com (RFC 5280, section 4.2.1.10)
        byte[] onlyExampleCom = [0x30, 0x11, 0xA0, 0x0F, 0x30, 0x0D, 0x81, 0x0B, .. "example.com"u8];
        var limited = stage.Authority.CreateIntermediate(change: request =>
            request.CertificateExtensions.Add(new X509Extension("2.5.29.30", onlyExampleCom, critical: true)));

        await AssertServedAsync(stage.Client(
            limited.Issue("CN=x", ClientCertificateSignInTests.Names(null, "carol@example.com", null)), limited));
        await AssertRefusedAsync(
            stage,
            stage.Client(
                limited.Issue("CN=x", ClientCertificateSignInTests.Names(null, "carol@example.net", null)), limited),
            "the client certificate is not accepted");
    }

    [Fact]
    public async Task Request_Intermediate_MustBeSentOrBeInTheFile()
    {
        await using var stage = await CertificateStage.StartAsync();
        var intermediate = stage.Authority.CreateIntermediate();
        var certificate = intermediate.Issue();

        await AssertServedAsync(stage.Client(certificate, intermediate));
        var other = intermediate.Issue();
        await AssertRefusedAsync(stage, stage.Client(other), "client must send any intermediates along with it");

        await stage.ReplaceAsync(
            stage.AuthoritiesFile, Encoding.ASCII.GetBytes(stage.Authority.Pem + intermediate.Pem));
        await AssertServedAsync(stage.Client(other));
    }

    [Fact]
    public async Task Request_NewConnectionOfTheSameClient_HasItsIntermediateAgain()
    {
        await using var stage = await CertificateStage.StartAsync();
        var intermediate = stage.Authority.CreateIntermediate();
        var shown = ClientAuthority.Show(intermediate.Issue(), intermediate);
        await AssertServedAsync(stage.Client(shown));

        // Nothing is remembered of certificates that were judged by other files.
        await stage.ReplaceAsync(stage.AuthoritiesFile, Encoding.ASCII.GetBytes(stage.Authority.Pem + "\n"));

        // A session that is resumed has no intermediates.
        await AssertServedAsync(stage.Client(shown));
    }

    [Fact]
    public async Task Request_ClientsCertificateAsIntermediate_IsRefused()
    {
        await using var stage = await CertificateStage.StartAsync();
        using var leaf = stage.Authority.Issue("CN=mallory");
        // Whoever has a certificate must not be able to issue others.
        var generator = X509SignatureGenerator.CreateForECDsa(leaf.GetECDsaPrivateKey()!);
        var key = System.Security.Cryptography.ECDsa.Create();
        var request = new CertificateRequest("CN=carol", key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new System.Security.Cryptography.Oid(ClientAuthority.ClientAuthentication)], critical: false));
        using var forged = request.Create(leaf.SubjectName, generator, Now.AddDays(-1), Now.AddDays(20), [1, 2, 3]);
        var shown = System.Net.Security.SslStreamCertificateContext.Create(
            forged.CopyWithPrivateKey(key), [X509CertificateLoader.LoadCertificate(leaf.RawData)], offline: true);

        var answer = await CertificateStage.SendAsync(stage.Client(shown));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Empty(stage.Upstream.Requests);
    }

    [Fact]
    public async Task Request_AuthorityIsTakenOut_EndsConnectionsAndTokens()
    {
        await using var stage = await CertificateStage.StartAsync();
        var client = stage.Client(stage.Authority.Issue());
        await AssertServedAsync(client);
        var token = await CertificateStage.TokenAsync(client);
        var next = ClientAuthority.CreateRoot("Next root");

        await stage.ReplaceAsync(stage.AuthoritiesFile, Encoding.ASCII.GetBytes(next.Pem));

        await AssertRefusedAsync(stage, client, "no authority that is trusted here issued it");
        var answer = await CertificateStage.SendAsync(
            stage.Gateway.Client, headers: ("Authorization", "Bearer " + token));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Contains("no longer trusted here", answer.Body, StringComparison.Ordinal);
        await AssertServedAsync(stage.Client(next.Issue()));
    }

    [Fact]
    public async Task Reload_BrokenFile_KeepsTheAuthoritiesInForce()
    {
        await using var stage = await CertificateStage.StartAsync();
        var client = stage.Client(stage.Authority.Issue());

        File.WriteAllText(stage.AuthoritiesFile, "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n");
        await Eventually.TrueAsync(() => stage.Log.Lines.Any(static line =>
            line.Contains("Changed clientCertificates were refused", StringComparison.Ordinal)));

        await AssertServedAsync(client);
    }

    [Fact]
    public async Task Request_CertificateThatNamesAddresses_HasNobodyAskThem()
    {
        await using var stage = await CertificateStage.StartAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var intermediate = stage.Authority.CreateIntermediate();
        var address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/";
        var certificate = intermediate.Issue(change: request =>
        {
            request.CertificateExtensions.Add(
                new X509AuthorityInformationAccessExtension([address + "ocsp"], [address + "ca"]));
            request.CertificateExtensions.Add(
                CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([address + "crl"]));
        });

        await AssertRefusedAsync(stage, stage.Client(certificate), "no authority that is trusted here issued it");

        Assert.False(listener.Pending(), "the gateway asked an address out of a stranger's certificate");
    }

    internal static async Task AssertServedAsync(HttpClient client) =>
        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(client)).Status);

    internal static async Task AssertRefusedAsync(CertificateStage stage, HttpClient client, string why)
    {
        var before = stage.Upstream.Requests.Count;
        foreach (var target in new[]
        {
            CertificateStage.Manifest,
            $"/token?service={TestGateway.Host}&scope=repository:team-a/app:pull",
        })
        {
            var answer = await CertificateStage.SendAsync(client, target);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
            Assert.Contains("the client certificate is not accepted: ", answer.Body, StringComparison.Ordinal);
            Assert.Contains(why, answer.Body, StringComparison.Ordinal);
        }

        Assert.Equal(before, stage.Upstream.Requests.Count);
    }
}
