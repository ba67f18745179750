using System.Net;
using System.Security.Cryptography.X509Certificates;
using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Registry.Proxying;

/// <summary>What an upstream answers before it has read an upload, and hangs up.</summary>
public sealed class EarlyAnswerTests
{
    private const string Body =
        """{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown to registry"}]}""";
    private const int Large = 30 * 1024 * 1024;

    [Theory]
    [InlineData("PATCH", 404, "1.1", true)]
    [InlineData("PATCH", 404, "2.0", true)]
    [InlineData("PATCH", 404, "1.1", false)]
    [InlineData("PUT", 404, "1.1", true)]
    [InlineData("PUT", 404, "2.0", false)]
    [InlineData("PATCH", 413, "1.1", true)]
    [InlineData("PUT", 413, "2.0", true)]
    [InlineData("PATCH", 416, "2.0", true)]
    [InlineData("PUT", 400, "1.1", false)]
    [InlineData("PATCH", 429, "1.1", true)]
    public async Task Upload_RefusedEarly_GetsTheAnswerWhole(string method, int status, string version, bool lingers)
    {
        await using var upstream = new EarlyUpstream(
            EarlyUpstream.Answer(status, Body, "Connection: close\r\n"), reads: 100_000, lingers);
        await using var gateway = await TestGateway.StartAsync(upstream.Address);

        foreach (var isChunked in new[] { false, true })
        {
            using var answer = await SendAsync(gateway, method, version, isChunked);

            Assert.Equal(status, (int)answer.StatusCode);
            Assert.Equal(Body, await answer.Content.ReadAsStringAsync());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Upload_RefusedEarlyUnderTls_GetsTheAnswerWhole(bool lingers)
    {
        using var folder = new TemporaryFolder();
        var pair = TestCertificates.Write(folder.Path, "localhost");
        using var certificate = X509Certificate2.CreateFromPemFile(pair.Certificate, pair.Key);
        await using var upstream = new EarlyUpstream(
            EarlyUpstream.Answer(404, Body), reads: 100_000, lingers, certificate: certificate);
        await using var gateway = await TestGateway.StartAsync(
        [
            new RegistryOptions
            {
                Name = "main",
                Upstreams = [upstream.Address],
                CertificateAuthority = pair.Certificate,
            },
        ]);

        foreach (var version in new[] { "1.1", "2.0" })
        {
            using var answer = await SendAsync(gateway, "PATCH", version, isChunked: false);

            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Equal(Body, await answer.Content.ReadAsStringAsync());
        }
    }

    // What the gateway words itself, also where it comes early.
    [Theory]
    [InlineData(401, 502, "refused the gateway's own credential")]
    [InlineData(403, 502, "refused the gateway's own credential")]
    [InlineData(500, 500, "the registry behind the gateway failed")]
    [InlineData(503, 503, "is not available")]
    [InlineData(507, 507, "the registry behind the gateway failed")]
    public async Task Upload_FailedEarly_IsToldAsEver(int status, int expected, string message)
    {
        await using var upstream = new EarlyUpstream(EarlyUpstream.Answer(status, Body), reads: 5_000_000);
        await using var gateway = await TestGateway.StartAsync(upstream.Address);

        using var answer = await SendAsync(gateway, "PATCH", "1.1", isChunked: false);

        Assert.Equal(expected, (int)answer.StatusCode);
        Assert.Contains(message, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    // What was not sent cannot be stored, whatever the upstream says of it.
    [Theory]
    [InlineData("PATCH", 202, true)]
    [InlineData("PATCH", 202, false)]
    [InlineData("PUT", 201, true)]
    [InlineData("PUT", 204, false)]
    [InlineData("PATCH", 304, false)]
    public async Task Upload_SaidToBeStoredBeforeItWasSent_Fails(string method, int status, bool isChunked)
    {
        await using var upstream = new EarlyUpstream(
            EarlyUpstream.Answer(status, status == 204 ? "" : Body, "Connection: close\r\n"), reads: 100_000);
        await using var gateway = await TestGateway.StartAsync(upstream.Address);

        using var answer = await SendAsync(gateway, method, "1.1", isChunked);

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Contains(
            "before it had the whole body", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    // The connection has been in use before, and the gateway waits on it for what a registry has no reason to say.
    [Fact]
    public async Task Upload_RefusedEarlyOnAConnectionThatWasUsed_GetsTheAnswerAndTheNextRequestAnother()
    {
        await using var upstream = new EarlyUpstream(EarlyUpstream.Answer(404, Body), reads: 100_000, lingers: true);
        await using var gateway = await TestGateway.StartAsync(upstream.Address);
        for (var i = 0; i < 3; i++)
        {
            using var read = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/tags/list", "alice");
            Assert.Equal("{}", await read.Content.ReadAsStringAsync());

            using var answer = await SendAsync(gateway, "PATCH", "1.1", isChunked: false);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Equal(Body, await answer.Content.ReadAsStringAsync());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Upload_ThatExpectsContinue_GetsTheAnswerAfterContinueToo(bool lingers)
    {
        await using var upstream = new EarlyUpstream(
            EarlyUpstream.Answer(413, Body), reads: 2_000_000, lingers, continues: true);
        await using var gateway = await TestGateway.StartAsync(upstream.Address);

        using var answer = await SendAsync(gateway, "PUT", "1.1", isChunked: false, expects: true);

        Assert.Equal(413, (int)answer.StatusCode);
        Assert.Equal(Body, await answer.Content.ReadAsStringAsync());
    }

    // Nothing that was written is taken for an answer: not the last one's, and not "100 Continue".
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Upload_WhoseUpstreamHangsUpWithoutAnAnswer_FailsAtOnce(bool continues)
    {
        await using var upstream = new EarlyUpstream("", reads: 100_000, continues: continues);
        await using var gateway = await TestGateway.StartAsync(upstream.Address);
        using var read = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/tags/list", "alice");
        var body = new PausingContent(4 * 1024 * 1024);

        using var answer = await SendAsync(gateway, "PATCH", "2.0", isChunked: true, expects: continues, body);
        body.GoOn(); // only now: the answer did not wait for the rest

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Contains("cannot be reached", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Upload_ToAnUpstreamThatReadsItAll_IsUntouched()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(upstream.Address);
        for (var i = 0; i < 3; i++)
        {
            using var answer = await SendAsync(gateway, "PATCH", i == 1 ? "2.0" : "1.1", isChunked: i == 2);

            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.All(upstream.Requests, static request => Assert.True(request.Body.AsSpan().SequenceEqual(Bytes())));
        Assert.Equal(3, upstream.Requests.Count);
    }

    private static byte[] Bytes()
    {
        var bytes = new byte[Large];
        new Random(10).NextBytes(bytes);
        return bytes;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        TestGateway gateway, string method, string version, bool isChunked, bool expects = false,
        HttpContent? body = null)
    {
        var target = gateway.UploadTarget("alice") + (method == "PUT" ? "&digest=sha256:" + new string('0', 64) : "");
        using var request = new HttpRequestMessage(new HttpMethod(method), $"https://{TestGateway.Host}{target}")
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body ?? new ByteArrayContent(Bytes()),
        };
        request.Headers.TryAddWithoutValidation("Authorization", TestGateway.Basic("alice"));
        request.Headers.TransferEncodingChunked = isChunked && version == "1.1" ? true : null;
        request.Headers.ExpectContinue = expects ? true : null;
        if (isChunked)
        {
            request.Content.Headers.ContentLength = null;
        }

        return await gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>A body whose rest comes when it is told to.</summary>
    private sealed class PausingContent(int first) : HttpContent
    {
        private readonly TaskCompletionSource _rest = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void GoOn() => _rest.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[first]);
            await stream.FlushAsync();
            await _rest.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
