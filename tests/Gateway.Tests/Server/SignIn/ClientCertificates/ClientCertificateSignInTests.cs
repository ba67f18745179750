using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.ClientCertificates;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.SignIn.ClientCertificates;

/// <summary>Whom a certificate signs in, over real TLS.</summary>
public sealed class ClientCertificateSignInTests
{
    private static readonly string[] Pull = ["GET /v2/team-a/app/manifests/latest"];

    [Theory]
    [InlineData("CN=carol", null, null, null)]
    [InlineData("CN=somebody", null, "carol@example.com", null)]
    [InlineData("CN=somebody", "spiffe://example.org/ns/prod/sa/builder", null, null)]
    [InlineData("CN=somebody", "spiffe://example.org/ns/prod/sa/builder", "x@example.com", "x.example.com")]
    [InlineData("CN=carol, OU=unrelated", null, null, "x.example.com")]
    public async Task Request_GoodCertificate_IsServedAsWhomItNames(
        string subject, string? uri, string? email, string? dns)
    {
        await using var stage = await CertificateStage.StartAsync(
            static options => options.SpiffeTrustDomains = ["example.org"]);
        var client = stage.Client(stage.Authority.Issue(subject, Names(uri, email, dns)));

        var answer = await CertificateStage.SendAsync(client);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(Pull, stage.Upstream.Requests.Select(static request => $"{request.Method} {request.Target}"));
    }

    [Theory]
    [InlineData("spiffe://example.org/ns/dev/sa/builder", HttpStatusCode.Forbidden)] // another claim than the rule's
    [InlineData("spiffe://example.com/ns/prod/sa/builder", HttpStatusCode.Unauthorized)] // another trust domain
    [InlineData("spiffe://example.org", HttpStatusCode.Unauthorized)]
    [InlineData("spiffe://example.org/ns//prod", HttpStatusCode.Unauthorized)]
    [InlineData("spiffe://example.org/ns/../ns/prod/x", HttpStatusCode.Unauthorized)]
    [InlineData("SPIFFE://example.org/ns/prod/x", HttpStatusCode.Unauthorized)] // one spelling only
    [InlineData("spiffe://EXAMPLE.org/ns/prod/x", HttpStatusCode.Unauthorized)]
    [InlineData("spiffe://example.org/ns/prod/%78", HttpStatusCode.Unauthorized)]
    [InlineData("spiffe://example.org/ns/prod/x/", HttpStatusCode.Unauthorized)]
    [InlineData("spiffe://example.org/ns/prod/x?y", HttpStatusCode.Unauthorized)]
    [InlineData("spiffe://example.org:443/ns/prod/x", HttpStatusCode.Unauthorized)]
    [InlineData("spiffe://user@example.org/ns/prod/x", HttpStatusCode.Unauthorized)]
    [InlineData("https://example.org/carol", HttpStatusCode.Unauthorized)] // the URI decides, not the common name
    public async Task Request_UriThatDoesNotDo_IsRefused(string uri, HttpStatusCode status)
    {
        await using var stage = await CertificateStage.StartAsync(
            static options => options.SpiffeTrustDomains = ["example.org"]);
        var client = stage.Client(
            stage.Authority.Issue("CN=carol", change: request => request.CertificateExtensions.Add(WithUri(uri))));

        Assert.Equal(status, (await CertificateStage.AskAsync(client)).Status);
        Assert.Empty(stage.Upstream.Requests);
    }

    [Fact]
    public async Task Request_OtherTrustDomain_IsToldSo()
    {
        await using var stage = await CertificateStage.StartAsync(
            static options => options.SpiffeTrustDomains = ["example.org"]);

        var answer = await CertificateStage.SendAsync(
            stage.Client(stage.Authority.Issue("CN=carol", Names("spiffe://example.com/ns/prod/x", null, null))));

        Assert.Contains(
            "its SPIFFE trust domain \\\"example.com\\\" is not accepted here", Plain(answer),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_DnsFirst_IsTheDnsName()
    {
        await using var stage = await CertificateStage.StartAsync(
            static options => options.Identity = [CertificateIdentity.Dns, CertificateIdentity.CommonName]);

        var named = await CertificateStage.SendAsync(
            stage.Client(stage.Authority.Issue("CN=x", Names("https://x", null, "ci.example.com"))));
        var without = await CertificateStage.SendAsync(stage.Client(stage.Authority.Issue("CN=carol")));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (named.Status, without.Status));
    }

    [Theory]
    [InlineData("carol@example.com", HttpStatusCode.OK)]
    [InlineData("carol@EXAMPLE.com", HttpStatusCode.OK)]
    [InlineData("carol@example.net", HttpStatusCode.Forbidden)] // is carol@example.net
    [InlineData("dora@example.com", HttpStatusCode.Forbidden)]
    public async Task Request_StrippedDomain_IsTheNameBeforeIt(string email, HttpStatusCode status)
    {
        await using var stage = await CertificateStage.StartAsync(
            static options => options.StripDomains = ["example.com"]);

        var answer = await CertificateStage.AskAsync(
            stage.Client(stage.Authority.Issue("CN=x", Names(null, email, null))));

        Assert.Equal(status, answer.Status);
    }

    [Fact]
    public async Task Request_SeveralOfTheDecidingKind_IsRefused()
    {
        await using var stage = await CertificateStage.StartAsync();
        var two = stage.Authority.Issue("CN=carol", static names =>
        {
            names.AddEmailAddress("carol@example.com");
            names.AddEmailAddress("dora@example.com");
        });

        var answers = new[]
        {
            await CertificateStage.SendAsync(stage.Client(two)),
            await CertificateStage.SendAsync(stage.Client(stage.Authority.Issue("CN=carol, CN=dora"))),
        };

        Assert.All(answers, static answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.Status));
        Assert.Contains("it has 2 names of the kind \\\"email\\\"", Plain(answers[0]), StringComparison.Ordinal);
        Assert.Contains("it has 2 names of the kind \\\"commonName\\\"", Plain(answers[1]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("O=Nobody", "it has no name of a kind that is used here: uri, email, commonName")]
    [InlineData("CN=two words", "is not a user name")]
    [InlineData("CN=team/carol", "is not a user name")]
    [InlineData("CN=carol:x", "is not a user name")]
    [InlineData("CN=#carol", "is not a user name")]
    public async Task Request_NameThatIsNone_IsRefusedWithTheRule(string subject, string message)
    {
        await using var stage = await CertificateStage.StartAsync();
        var name = new X500DistinguishedNameBuilder();
        if (subject.StartsWith("CN=", StringComparison.Ordinal))
        {
            name.AddCommonName(subject[3..]);
        }
        else
        {
            name.AddOrganizationName("Nobody");
        }

        var answer = await CertificateStage.SendAsync(stage.Client(stage.Authority.Issue(name.Build().Name)));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Contains(message, Plain(answer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_NameOfAPasswordUser_IsRefusedUnlessTheyAreTheSame()
    {
        await using var stage = await CertificateStage.StartAsync();
        await using var same = await CertificateStage.StartAsync(
            all: static options => options.Authentication.Collisions = NameCollisions.Same);

        var refused = await CertificateStage.SendAsync(stage.Client(stage.Authority.Issue("CN=alice")));
        var accepted = await CertificateStage.SendAsync(same.Client(same.Authority.Issue("CN=alice")));

        Assert.Equal(HttpStatusCode.Unauthorized, refused.Status);
        Assert.Contains("belongs to another source here (htpasswd)", Plain(refused), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, accepted.Status);
    }

    [Theory]
    [InlineData(true, HttpStatusCode.OK)]
    [InlineData(false, HttpStatusCode.Forbidden)]
    public async Task Request_OrganizationalUnit_IsAGroupWhereSaid(bool areGroups, HttpStatusCode status)
    {
        await using var stage = await CertificateStage.StartAsync(
            options => options.OrganizationalUnitsAreGroups = areGroups);

        var answer = await CertificateStage.AskAsync(
            stage.Client(stage.Authority.Issue("CN=dora, OU=builders, OU=others")), "/v2/built/app/manifests/latest");

        Assert.Equal(status, answer.Status);
    }

    [Fact]
    public async Task Request_CertificateOfABlockedUser_IsRefused_AndItsTokens()
    {
        await using var stage = await CertificateStage.StartAsync();
        var client = stage.Client(stage.Authority.Issue("CN=carol"));
        var bearer = CertificateStage.Bearer(await CertificateStage.TokenAsync(client));
        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(client, headers: bearer)).Status);
        await stage.Gateway.BlockAsync("user:carol");

        var refused = await CertificateStage.SendAsync(client);

        Assert.Equal(HttpStatusCode.Unauthorized, refused.Status);
        Assert.Contains(
            "user:carol is blocked by the operator of this registry", Plain(refused), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await CertificateStage.SendAsync(client, headers: bearer)).Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await CertificateStage.SendAsync(client, $"/token?service={TestGateway.Host}")).Status);
        var other = stage.Client(stage.Authority.Issue("CN=x", Names(null, "carol@example.com", null)));
        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(other)).Status);

        await stage.Gateway.UnblockAsync("user:carol");
        Assert.Equal(HttpStatusCode.OK, (await CertificateStage.SendAsync(client)).Status);
    }

    [Fact]
    public async Task Request_HeadersThatTellOfACertificate_AreIgnored()
    {
        await using var stage = await CertificateStage.StartAsync();
        var pem = Uri.EscapeDataString(stage.Authority.Issue().ExportCertificatePem());

        var answer = await CertificateStage.SendAsync(
            stage.Client((System.Net.Security.SslStreamCertificateContext?)null),
            headers:
            [
                ("X-Forwarded-Client-Cert", $"Cert=\"{pem}\";Subject=\"CN=carol\""),
                ("X-Client-Cert", pem),
                ("X-SSL-Client-Verify", "SUCCESS"),
                ("X-SSL-Client-S-DN", "CN=carol"),
                ("Client-Cert", ":" + Convert.ToBase64String(stage.Authority.Issue().RawData) + ":"),
            ]);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Empty(stage.Upstream.Requests);
    }

    [Fact]
    public async Task Request_OpenConnection_IsJudgedOnceAndAuditedEachTime()
    {
        await using var stage = await CertificateStage.StartAsync();
        var certificate = stage.Authority.Issue("CN=dora, O=x", Names(null, "two words", null));
        var client = stage.Client(certificate);

        await CertificateStage.SendAsync(client);
        await CertificateStage.SendAsync(client);

        Assert.Single(
            stage.Log.Lines, static line => line.Contains("The client certificate of", StringComparison.Ordinal));
    }

    internal static Action<SubjectAlternativeNameBuilder>? Names(string? uri, string? email, string? dns) =>
        uri is null && email is null && dns is null ? null : names =>
        {
            if (uri is not null)
            {
                names.AddUri(
                    new Uri(uri, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
            }

            if (email is not null)
            {
                names.AddEmailAddress(email);
            }

            if (dns is not null)
            {
                names.AddDnsName(dns);
            }
        };

    // As it is: the builder would put it into its usual form.
    private static X509Extension WithUri(string uri)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteCharacterString(UniversalTagNumber.IA5String, uri, new Asn1Tag(TagClass.ContextSpecific, 6));
        }

        return new X509Extension("2.5.29.17", writer.Encode(), critical: false);
    }

    private static string Plain(StageAnswer answer) =>
        answer.Body.Replace("\\u0022", "\\\"", StringComparison.Ordinal).Replace(
            "\\u0027", "'", StringComparison.Ordinal);
}
