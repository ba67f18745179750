using System.Net;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Requests.Pipeline;

/// <summary>Requests that no honest client sends: each is refused, and none of it reaches an upstream.</summary>
public sealed class HostileRequestTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    private static readonly string Authorization = $"Authorization: {TestGateway.Basic("admin")}\r\n";

    private readonly RecordingUpstream _upstream = shared.Upstream;
    private readonly TestGateway _gateway = shared.Gateway;
    private readonly int _before = shared.Upstream.Requests.Count;

    private int Forwarded => _upstream.Requests.Count - _before;

    [Theory]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "200")] // the neighbour: an honest request
    [InlineData("GET /V2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "404")]
    [InlineData("GET /v2/a%2Fb/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "400")]
    [InlineData("GET /v2/a/../b/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "400")]
    [InlineData("GET /v2/a/%2e%2e/b/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "400")]
    [InlineData("GET /v2//a/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "400")]
    [InlineData("GET /x/../v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "404")]
    [InlineData("GET /v2/Team/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "400")]
    [InlineData("GET https://registry.test/v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "400")]
    [InlineData("TRACE /v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "405")]
    [InlineData("OPTIONS /v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "405")]
    [InlineData("BREW /v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "405")]
    [InlineData("get /v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\n", "405")]
    [InlineData("CONNECT registry.test:443 HTTP/1.1", "Host: registry.test:443\r\n", "4")]
    [InlineData("OPTIONS * HTTP/1.1", "Host: registry.test\r\n", "4")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: evil.example\r\n", "421")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test:9999\r\n", "421")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test:443\r\n", "200")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test.\r\n", "421")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test:0\r\n", "421")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test:0443\r\n", "421")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test:\r\n", "400")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: evil@registry.test\r\n", "400")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test, evil\r\n", "400")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: [::1]\r\n", "421")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\nConnection: Authorization\r\n", "200")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: REGISTRY.test\r\n", "200")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "", "400")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host:\r\n", "400")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\nHost: evil.example\r\n", "400")]
    [InlineData(
        "GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        "400")]
    [InlineData(
        "DELETE /v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        "400")]
    [InlineData(
        "PUT /v2/a/manifests/1 HTTP/1.1",
        "Host: registry.test\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\nContent-Length: 0\r\n", "400")]
    [InlineData(
        "GET /v2/a/manifests/1 HTTP/1.1",
        "Host: registry.test\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: "
            + "AAMAAABkAAQAAP__\r\n", "400")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\nX-HTTP-Method-Override: DELETE\r\n", "400")]
    [InlineData("GET /v2/a/manifests/1 HTTP/1.1", "Host: registry.test\r\nX-Method-Override: PUT\r\n", "400")]
    public async Task Request_OfThisShape_IsAnsweredSo(string requestLine, string headers, string status)
    {
        var answer = await _gateway.SendRawAsync($"{requestLine}\r\n{headers}{Authorization}Connection: close\r\n\r\n"
            .Replace("Connection: Upgrade", "Connection: close, Upgrade", StringComparison.Ordinal));

        Assert.StartsWith("HTTP/1.1 " + status, answer, StringComparison.Ordinal);
        Assert.Equal(status == "200" ? 1 : 0, Forwarded);
        Assert.DoesNotContain("problem+json", answer, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("GET /v2/ HTTP/1.1\nHost: registry.test\r\n\r\n")]
    [InlineData("GET /v2/ HTTP/1.1\r\nHost: registry.test\nX: y\r\n\r\n")]
    public async Task BareLineFeed_IsRefused(string request)
    {
        var answer = await _gateway.SendRawAsync(request);

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ContentLengthBesideTransferEncoding_IsRefusedAndNothingBehindItIsRead()
    {
        var answer = await _gateway.SendRawAsync(
            $"PATCH {_gateway.UploadTarget("admin")} HTTP/1.1\r\nHost: registry.test\r\n{Authorization}"
            + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            + $"GET /v2/a/manifests/smuggled HTTP/1.1\r\nHost: registry.test\r\n{Authorization}\r\n");

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Single(answer.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(0, Forwarded);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked", "200")] // the neighbour
    [InlineData("Transfer-Encoding: Chunked", "200")]
    [InlineData("Transfer-Encoding: chunked, chunked", "400")]
    [InlineData("Transfer-Encoding: gzip, chunked", "400")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "400")]
    [InlineData("Transfer-Encoding: identity", "400")]
    [InlineData("Transfer-Encoding : chunked", "400")]
    [InlineData("Transfer-Encoding: xchunked", "400")]
    public async Task TransferEncoding_OtherThanChunkedOnce_IsRefused(string header, string status)
    {
        // What another coding is taken for differs from server to server, and nobody here would undo it.
        var answer = await _gateway.SendRawAsync(
            $"PATCH {_gateway.UploadTarget("admin")} HTTP/1.1\r\nHost: registry.test\r\n{Authorization}"
            + $"{header}\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 " + status, answer, StringComparison.Ordinal);
        Assert.Equal(status == "200" ? 1 : 0, Forwarded);
    }

    // Without "Connection: close" from the client: it is the gateway that must not read on.
    [Theory]
    [InlineData("Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\n")]
    [InlineData("Transfer-Encoding: gzip, chunked", "5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked, chunked", "5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: identity", "")]
    [InlineData("Transfer-Encoding: chunked", "5\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked", "5\r\nhelloXX0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked", "0x5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 5\r\nContent-Length: 5", "hello")]
    [InlineData("Content-Length: 5, 5", "hello")]
    [InlineData("Content-Length: -5", "")]
    [InlineData("Content-Length: 99999999999999999999", "")]
    public async Task Framing_InDoubt_IsRefusedAndTheConnectionClosed(string header, string body)
    {
        var answer = await _gateway.SendRawAsync(
            $"PATCH {_gateway.UploadTarget("admin")} HTTP/1.1\r\nHost: registry."
            + $"test\r\n{Authorization}{header}\r\n\r\n{body}GET /v2/a/manifests/behind HTTP/1.1\r\nHost: "
            + $"registry.test\r\n{Authorization}Connection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains("Connection: close\r\n", answer, StringComparison.Ordinal);
        Assert.Single(answer.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(0, Forwarded);
    }

    [Theory]
    [InlineData("PATCH /v2/a/blobs/uploads/u HTTP/1.1")] // refused for want of a ticket
    [InlineData("PUT /v2/a/../b/manifests/1 HTTP/1.1")] // refused by the parser
    [InlineData("GET /nowhere HTTP/1.1")]
    public async Task Refusal_BeforeAnExpectedBody_LeavesNoDoubtWhatComesNext(string requestLine)
    {
        // The client may leave the body out after a final answer (RFC 9110, section 10.1.1): what comes next on the
        // connection is either the body or a request.
        var answer = await _gateway.SendRawAsync(
            $"{requestLine}\r\nHost: registry.test\r\n{Authorization}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
            + $"GET /v2/a/manifests/behind HTTP/1.1\r\nHost: registry.test\r\n{Authorization}"
            + "Connection: close\r\n\r\n");

        Assert.Contains("Connection: close\r\n", answer, StringComparison.Ordinal);
        Assert.Single(answer.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(0, Forwarded);
    }

    [Theory]
    [InlineData("POST /v2/a/../b/blobs/uploads/ HTTP/1.1", "Content-Length: 5", "hello", "400")]
    [InlineData("PATCH /v2/a/blobs/uploads/u HTTP/1.1", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", "404")]
    public async Task Refusal_OfARequestWhoseEndIsKnown_KeepsTheConnection(
        string requestLine, string header, string body, string status)
    {
        var answer = await _gateway.SendRawAsync(
            $"{requestLine}\r\nHost: registry.test\r\n{Authorization}{header}\r\n\r\n{body}"
            + $"GET /v2/a/manifests/1 HTTP/1.1\r\nHost: registry.test\r\n{Authorization}Connection: close\r\n\r\n");

        var answers = answer.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([status, "200"], answers.Select(static one => one[..3]));
        Assert.Equal(1, Forwarded);
    }

    [Theory]
    [InlineData("5;name=value\r\nhello\r\n0\r\n\r\n", "200")] // the neighbour: an extension that RFC 9112 allows
    [InlineData("5;name=value\nhello\r\n0\r\n\r\n", "400")]
    [InlineData("5\nhello\r\n0\r\n\r\n", "400")]
    [InlineData("5\r\nhelloXX0\r\n\r\n", "400")]
    [InlineData("-5\r\nhello\r\n0\r\n\r\n", "400")]
    [InlineData("0x5\r\nhello\r\n0\r\n\r\n", "400")]
    [InlineData("fffffffffffffffff\r\nhello\r\n0\r\n\r\n", "400")]
    public async Task Chunks_OfThisShape_AreAnsweredSo(string body, string status)
    {
        var answer = await _gateway.SendRawAsync(
            $"PATCH {_gateway.UploadTarget("admin")} HTTP/1.1\r\nHost: registry.test\r\n{Authorization}"
            + $"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{body}");

        Assert.StartsWith("HTTP/1.1 " + status, answer, StringComparison.Ordinal);
        Assert.Equal(status == "200" ? 1 : 0, Forwarded);
    }

    [Fact]
    public async Task Headers_OverTheLimit_Are431()
    {
        var answer = await _gateway.SendRawAsync(
            $"GET /v2/ HTTP/1.1\r\nHost: registry.test\r\nX: {new string('a', 40_000)}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 431", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Authorization_SentTwice_IsRefused()
    {
        var answer = await _gateway.SendRawAsync(
            $"GET /v2/ HTTP/1.1\r\nHost: registry.test\r\n{Authorization}{Authorization}Connection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v2/Team/manifests/1", "NAME_INVALID")]
    [InlineData("/v2/a/manifests/sha256:abc", "DIGEST_INVALID")]
    [InlineData("/v2/_catalog?n=-1", "PAGINATION_NUMBER_INVALID")]
    public async Task MalformedRequest_HasAnErrorBodyOfTheRegistry(string target, string code)
    {
        using var answer = await _gateway.SendAsync(HttpMethod.Get, target, "admin");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains($"\"code\":\"{code}\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("registry/2.0", answer.Headers.GetValues("Docker-Distribution-Api-Version").Single());
    }

    [Fact]
    public async Task PathOutsideTheApi_Is404WithAnErrorBody()
    {
        using var answer = await _gateway.SendAsync(HttpMethod.Get, "/index.html", "admin");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("\"errors\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(0, Forwarded);
    }
}
