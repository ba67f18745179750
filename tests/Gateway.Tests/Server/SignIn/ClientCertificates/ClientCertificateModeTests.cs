using System.Net;
using System.Net.Security;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.ClientCertificates;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.SignIn.ClientCertificates;

/// <summary>Optional and required certificates, and what counts where there are other credentials as well.</summary>
public sealed class ClientCertificateModeTests
{
    private const SslStreamCertificateContext? Nothing = null;
    private static readonly (string, string) Alice = ("Authorization", TestGateway.Basic("alice"));
    private static readonly (string, string) WrongPassword =
        ("Authorization", "Basic " + Convert.ToBase64String("carol:wrong"u8));

    [Fact]
    public async Task Optional_WithoutCertificate_IsAsBefore()
    {
        await using var stage = await CertificateStage.StartAsync();
        var client = stage.Client(Nothing);

        Assert.Equal(HttpStatusCode.Unauthorized, (await CertificateStage.SendAsync(client)).Status);
        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(client, headers: Alice)).Status);
    }

    [Fact]
    public async Task Optional_PasswordBesideACertificate_IsWhatCounts()
    {
        await using var stage = await CertificateStage.StartAsync();
        var good = stage.Client(stage.Authority.Issue());
        var bad = stage.Client(ClientAuthority.CreateRoot().Issue());

        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(good)).Status);
        var wrong = await CertificateStage.SendAsync(good, headers: WrongPassword);
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.Status);
        Assert.Contains("the user name or password is wrong", wrong.Body, StringComparison.Ordinal);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await CertificateStage.SendAsync(
                good, $"/token?service={TestGateway.Host}", headers: WrongPassword)).Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await CertificateStage.SendAsync(good, headers: ("Authorization", "Bearer x"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(bad, headers: Alice)).Status);
    }

    [Fact]
    public async Task Optional_EmptyBasicBesideACertificate_IsTheCertificates()
    {
        await using var stage = await CertificateStage.StartAsync();
        var client = stage.Client(stage.Authority.Issue());

        // What podman sends where it has no password.
        var answer = await CertificateStage.SendAsync(
            client, headers: ("Authorization", TestGateway.Basic(TestGateway.Nobody)));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task Ping_WithCertificate_AsksForCredentialsSoThatLoginChecksThem()
    {
        await using var stage = await CertificateStage.StartAsync();
        var client = stage.Client(stage.Authority.Issue());

        var asked = await CertificateStage.SendAsync(client, "/v2/");
        var token = await CertificateStage.TokenAsync(client, scope: "");
        var answered = await CertificateStage.SendAsync(client, "/v2/", headers: ("Authorization", "Bearer " + token));

        Assert.Equal(HttpStatusCode.Unauthorized, asked.Status);
        Assert.StartsWith("Bearer realm=", asked.Challenge, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, answered.Status);
    }

    [Fact]
    public async Task Request_CertificateThatMayNot_IsAskedForMoreAndDeniedWithItsToken()
    {
        await using var stage = await CertificateStage.StartAsync();
        var client = stage.Client(stage.Authority.Issue("CN=node1"));

        // containerd on a cluster's node: the workload's password comes once it is asked for.
        var asked = await CertificateStage.SendAsync(client);
        var token = CertificateStage.Bearer(await CertificateStage.TokenAsync(client));
        var denied = await CertificateStage.SendAsync(client, headers: token);
        var alice = await CertificateStage.SendAsync(client, headers: Alice);

        Assert.Equal(HttpStatusCode.Unauthorized, asked.Status);
        Assert.StartsWith("Bearer realm=", asked.Challenge, StringComparison.Ordinal);
        Assert.Contains("may not", asked.Body, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), (denied.Status, alice.Status));
    }

    [Fact]
    public async Task Request_BasicChallenge_IsServedOrDeniedAtOnce()
    {
        await using var stage = await CertificateStage.StartAsync(
            all: static options => options.Authentication.Challenge = ChallengeScheme.Basic);

        Assert.Equal(
            HttpStatusCode.OK, (await CertificateStage.SendAsync(stage.Client(stage.Authority.Issue()))).Status);
        Assert.Equal(
            HttpStatusCode.OK,
            (await CertificateStage.SendAsync(stage.Client(stage.Authority.Issue()), "/v2/")).Status);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await CertificateStage.SendAsync(stage.Client(stage.Authority.Issue("CN=node1")))).Status);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Request_HttpVersion_DoesNotMatter(string version)
    {
        await using var stage = await CertificateStage.StartAsync();
        var client = stage.Client(stage.Authority.Issue());
        client.DefaultRequestVersion = Version.Parse(version);
        client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;

        using var answer = await client.GetAsync(new Uri($"https://{TestGateway.Host}{CertificateStage.Manifest}"));

        Assert.Equal((HttpStatusCode.OK, Version.Parse(version)), (answer.StatusCode, answer.Version));
    }

    [Fact]
    public async Task Request_CertificatesAsTheOnlyWayToSignIn_IsServed()
    {
        await using var stage = await CertificateStage.StartAsync(
            all: static options => options.Authentication.Htpasswd = null);
        var client = stage.Client(stage.Authority.Issue());

        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(client)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CertificateStage.SendAsync(client, headers: Alice)).Status);
    }

    [Fact]
    public async Task Token_ForACertificate_HasNoRefreshToken()
    {
        await using var stage = await CertificateStage.StartAsync(
            all: static options => options.Tokens.RefreshTokens = true);
        var target = $"/token?service={TestGateway.Host}&offline_token=true&scope=repository:team-a/app:pull";

        var certificate = await CertificateStage.SendAsync(stage.Client(stage.Authority.Issue()), target);
        var password = await CertificateStage.SendAsync(stage.Client(Nothing), target, headers: Alice);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (certificate.Status, password.Status));
        Assert.DoesNotContain("refresh_token", certificate.Body, StringComparison.Ordinal);
        Assert.Contains("refresh_token", password.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TokenApi_Certificate_IsAskedForThePassword()
    {
        await using var stage = await CertificateStage.StartAsync();

        var answer = await CertificateStage.SendAsync(stage.Client(stage.Authority.Issue()), "/api/v1/tokens");
        var alice = await CertificateStage.SendAsync(
            stage.Client(stage.Authority.Issue()), "/api/v1/tokens", headers: Alice);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Equal(HttpStatusCode.OK, alice.Status);
    }

    [Fact]
    public async Task Required_WithoutGoodCertificate_NobodyIsServed()
    {
        await using var stage = await CertificateStage.StartAsync(
            static options => options.Mode = ClientCertificateMode.Required);
        var client = stage.Client(stage.Authority.Issue());
        var token = CertificateStage.Bearer(await CertificateStage.TokenAsync(client));

        foreach (var stranger in new[] { stage.Client(Nothing), stage.Client(ClientAuthority.CreateRoot().Issue()) })
        {
            foreach (var headers in new (string, string)[][]
            {
                [],
                [Alice],
                [token],
                [("Authorization", TestGateway.Basic(TestGateway.Nobody))],
            })
            {
                foreach (var target in new[]
                {
                    CertificateStage.Manifest,
                    "/v2/public/app/manifests/latest",
                    "/v2/",
                    "/token",
                    "/api/v1/tokens",
                })
                {
                    Assert.Equal(
                        (target, HttpStatusCode.Unauthorized),
                        (target, (await CertificateStage.SendAsync(stranger, target, headers: headers)).Status));
                }
            }
        }

        Assert.Empty(stage.Upstream.Requests);
        var told = await CertificateStage.SendAsync(stage.Client(Nothing), "/token");
        Assert.Contains(
            "this registry accepts only clients with a certificate, and none was presented", told.Body,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Required_WithGoodCertificate_EveryWayToSignInGoes()
    {
        await using var stage = await CertificateStage.StartAsync(
            static options => options.Mode = ClientCertificateMode.Required);
        var client = stage.Client(stage.Authority.Issue());
        var token = CertificateStage.Bearer(await CertificateStage.TokenAsync(client));

        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(client)).Status);
        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(client, headers: Alice)).Status);
        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(client, headers: token)).Status);
    }

    [Fact]
    public async Task Required_WithoutCertificate_HealthIsAnswered()
    {
        await using var stage = await CertificateStage.StartAsync(
            static options => options.Mode = ClientCertificateMode.Required);

        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(stage.Client(Nothing), "/healthz")).Status);
    }

    [Theory]
    [InlineData("Origin", "https://elsewhere.example")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task Post_FromAnotherSitesPage_IsRefused(string header, string value)
    {
        await using var stage = await CertificateStage.StartAsync();
        var client = stage.Client(stage.Authority.Issue());
        const string target = "/v2/team-a/app/blobs/uploads/";

        // A browser shows the person's certificate to whichever page asks.
        var forged = await CertificateStage.SendAsync(client, target, HttpMethod.Post, (header, value));
        Assert.Empty(stage.Upstream.Requests);
        await CertificateStage.SendAsync(client, target, HttpMethod.Post);

        Assert.Equal(HttpStatusCode.Forbidden, forged.Status);
        Assert.Single(stage.Upstream.Requests);
    }

    [Fact]
    public async Task Audit_Certificate_IsRecordedWithMethodAndForm()
    {
        var file = Path.Combine(Path.GetTempPath(), $"audit-{Guid.NewGuid():n}.jsonl");
        try
        {
            await using (var stage = await CertificateStage.StartAsync(all: options =>
            {
                options.Audit.Enabled = true;
                options.Audit.File.Path = file;
            }))
            {
                await CertificateStage.SendAsync(stage.Client(stage.Authority.Issue()));
                await CertificateStage.SendAsync(stage.Client(ClientAuthority.CreateRoot().Issue("CN=mallory")));
                await Eventually.TrueAsync(
                    () => File.Exists(file) && File.ReadAllText(file).Contains("mallory", StringComparison.Ordinal));
            }

            var lines = File.ReadAllLines(file);
            Assert.Contains(lines, static line => line.Contains("\"subject\":\"user:carol\"", StringComparison.Ordinal)
                && line.Contains(
                    "\"signIn\":{\"form\":\"certificate\",\"outcome\":\"accepted\",\"userName\":\"CN=carol\","
                        + "\"method\":\"certificate\"}", StringComparison.Ordinal));
            Assert.Contains(lines, static line =>
                line.Contains(
                    "\"signIn\":{\"form\":\"certificate\",\"outcome\":\"refused\",\"userName\":\"CN=mallory\"",
                    StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
