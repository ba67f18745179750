using System.Net;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Registry.Proxying;

/// <summary>TLS to an upstream: trusted by the configured authority alone, and by the right name.</summary>
public sealed class UpstreamTlsTests
{
    [Theory]
    [InlineData("localhost", true, HttpStatusCode.OK)]
    [InlineData("127.0.0.1", true, HttpStatusCode.BadGateway)] // the certificate is for localhost
    [InlineData("localhost", false, HttpStatusCode.BadGateway)] // nobody vouches for it
    public async Task Upstream_OverTls_IsTrustedOnlyWithItsAuthorityAndName(
        string host, bool trusted, HttpStatusCode expected)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-upstream-").FullName;
        try
        {
            var pair = TestCertificates.Write(folder, "localhost");
            await using var upstream = await RecordingUpstream.StartAsync(pair);
            await using var gateway = await TestGateway.StartAsync(
            [
                new RegistryOptions
                {
                    Name = "main",
                    Upstreams = [new Uri($"https://{host}:{upstream.Address.Port}")],
                    CertificateAuthority = trusted ? pair.Certificate : null,
                },
            ]);

            using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/tags/list", "bob");

            Assert.Equal(expected, answer.StatusCode);
            Assert.Equal(expected == HttpStatusCode.OK ? 1 : 0, upstream.Requests.Count);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Authority_ThatIsNone_StopsTheStart()
    {
        var file = Path.GetTempFileName();
        try
        {
            var problem = await Assert.ThrowsAsync<ProblemException>(() => TestGateway.StartAsync(
            [
                new RegistryOptions
                {
                    Name = "main",
                    Upstreams = [new Uri("https://localhost")],
                    CertificateAuthority = file,
                },
            ]));

            Assert.Equal(
                $"{file}: registries[main].certificateAuthority: the file holds no certificate. Put the authority's "
                    + "certificate there in PEM form (-----BEGIN CERTIFICATE-----).",
                problem.Message);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
