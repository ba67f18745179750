using System.Net;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Trust;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Portal.Trust;
using Gateway.Server.Requests.Tls;
using Gateway.Tests.Client.Trust;
using Gateway.Tests.Server.Requests.Tls;
using Gateway.Tests.Server.SignIn.Oidc;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Portal.Trust;

/// <summary>What the gateway shows of <c>tls.authority</c>.</summary>
public sealed class TrustPagesTests : IDisposable
{
    private readonly TrustFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Configured_PageAndFile_AreEverybodys()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(
            upstream.Address, change: options => options.Tls.Authority = _files.File);

        var page = await gateway.SendAsync(HttpMethod.Get, "/trust");
        var text = WebUtility.HtmlDecode(await page.Content.ReadAsStringAsync());
        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.StatusCode, page.Content.Headers.ContentType!.MediaType));
        Assert.Contains(
            "default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("<script", text, StringComparison.OrdinalIgnoreCase);
        Assert.All(
            [
                PrivateAuthority.FingerprintOf(_files.Authority.Certificate), "CN=Test authority", "get another way",
                $"/etc/docker/certs.d/{TestGateway.Host}/ca.crt", $"/etc/containers/certs.d/{TestGateway.Host}/ca.crt",
                "kind: DaemonSet", "update-ca-trust",
            ],
            word => Assert.Contains(word, text, StringComparison.Ordinal));
        Assert.DoesNotContain(Path.GetDirectoryName(_files.File)!, text, StringComparison.Ordinal);

        var file = await gateway.SendAsync(HttpMethod.Get, "/trust/ca.crt");
        Assert.Equal(PrivateAuthority.PemOf(_files.Authority.Certificate), await file.Content.ReadAsStringAsync());
        Assert.Equal("attachment; filename=\"ca.crt\"", file.Content.Headers.GetValues("Content-Disposition").Single());
        Assert.Equal("nosniff", file.Headers.GetValues("X-Content-Type-Options").Single());

        var head = await gateway.SendAsync(HttpMethod.Head, "/trust/ca.crt");
        Assert.Equal((HttpStatusCode.OK, ""), (head.StatusCode, await head.Content.ReadAsStringAsync()));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await gateway.SendAsync(HttpMethod.Post, "/trust")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.SendAsync(HttpMethod.Get, "/trust/")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.SendAsync(HttpMethod.Get, "/trust/ca.key")).StatusCode);
        Assert.Empty(upstream.Requests);

        // A new file is shown without a restart; a wrong one is not.
        var next = PrivateAuthority.PemOf(TestAuthority.CreateRoot("The next").Certificate);
        await File.WriteAllTextAsync(_files.File, next);
        await Eventually.TrueAsync(
            async () => await (await gateway.SendAsync(HttpMethod.Get, "/trust/ca.crt")).Content
                .ReadAsStringAsync() == next);
        await File.WriteAllTextAsync(_files.File, _files.Authority.Issue(["x.example"]).CertificatePem);
        await Task.Delay(1500);
        Assert.Equal(
            next, await (await gateway.SendAsync(HttpMethod.Get, "/trust/ca.crt")).Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task NotConfigured_IsAnUnknownPath()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(upstream.Address);
        foreach (var path in new[] { "/trust", "/trust/ca.crt" })
        {
            var answer = await gateway.SendAsync(HttpMethod.Get, path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Contains(
                "there is nothing at this path", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task SignInAndAccount_LinkToIt_WhereItIsConfigured()
    {
        await using var stage = await OidcStage.StartAsync(options => options.Tls.Authority = _files.File);
        var browser = stage.NewBrowser();
        const string link = "<a href=\"/trust\">";
        Assert.Contains(
            link, await (await browser.GetAsync("/sign-in")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await stage.SignInAsync(browser);
        Assert.Contains(
            link, await (await browser.GetAsync("/account")).Content.ReadAsStringAsync(), StringComparison.Ordinal);

        var without = await stage.AddGatewayAsync();
        Assert.DoesNotContain(
            "/trust", await (await stage.NewBrowser(without).GetAsync("/sign-in")).Content.ReadAsStringAsync(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WithAFileThatMustNotBeHandedOut_IsRefused()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        File.AppendAllText(_files.File, _files.Authority.Issue(["x"]).KeyPem);
        var refused = await Assert.ThrowsAsync<ProblemException>(
            () => TestGateway.StartAsync(upstream.Address, change: options => options.Tls.Authority = _files.File));
        Assert.Contains(
            "tls.authority: the file has a private key, which must not be published", refused.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Check_AuthorityThatSignedNothingServed_IsWarnedOf()
    {
        var pair = _files.Authority.CreateIntermediate("Issuer");
        var leaf = pair.Issue(["registry.example.com"]);
        _files.Write("tls.crt", leaf.CertificatePem + PrivateAuthority.PemOf(pair.Certificate));
        _files.Write("tls.key", leaf.KeyPem);
        var options = new GatewayOptions();
        options.Tls.Certificates = [
            new()
            {
                Certificate = _files.File.Replace("ca.crt", "tls.crt", StringComparison.Ordinal),
                Key = _files.File.Replace("ca.crt", "tls.key", StringComparison.Ordinal),
            },
        ];
        options.Tls.Authority = _files.File;
        var now = TimeProvider.System.GetUtcNow();
        var served = CertificateSet.Load(options.Tls, null, now);

        Assert.Empty(TrustServiceExtensions.Warnings(options.Tls, served, now));
        options.Tls.Authority = _files.Write("intermediate.crt", PrivateAuthority.PemOf(pair.Certificate));
        Assert.DoesNotContain(
            TrustServiceExtensions.Warnings(options.Tls, served, now),
            static one => one.What.Contains("leads", StringComparison.Ordinal));
        options.Tls.Authority = _files.Write(
            "other.crt", PrivateAuthority.PemOf(TestAuthority.CreateRoot("Test authority").Certificate));
        Assert.Contains(
            "none of tls.certificates chains to this authority",
            Assert.Single(TrustServiceExtensions.Warnings(options.Tls, served, now)).What, StringComparison.Ordinal);
        options.Tls.Authority = null;
        Assert.Empty(TrustServiceExtensions.Warnings(options.Tls, served, now));
    }
}
