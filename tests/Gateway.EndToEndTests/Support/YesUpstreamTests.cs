using System.Text;

namespace Gateway.EndToEndTests.Support;

public sealed class YesUpstreamTests
{
    [Fact]
    public async Task Requests_OfEveryFraming_AreRecordedAsSent()
    {
        await using var upstream = new YesUpstream();
        using var client = new HttpClient { BaseAddress = upstream.Address };
        using var chunked = new HttpRequestMessage(HttpMethod.Patch, "/v2/a?x=%2f");
        chunked.Content = new StreamContent(new MemoryStream(Encoding.ASCII.GetBytes("some bytes")));
        chunked.Headers.TransferEncodingChunked = true;
        chunked.Headers.ExpectContinue = true;

        using var patched = await client.SendAsync(chunked);
        using var put = await client.PutAsync("/v2/b", new ByteArrayContent([1, 2, 3]));
        using var got = await client.GetAsync("/v2/c");

        Assert.True(patched.IsSuccessStatusCode && put.IsSuccessStatusCode && got.IsSuccessStatusCode);
        Assert.Equal(
            ["PATCH /v2/a?x=%2f 10", "PUT /v2/b 3", "GET /v2/c 0"],
            upstream.Requests.Select(request => $"{request.Method} {request.Target} {request.Body.Length}"));
    }

    [Fact]
    public async Task Target_NoLibraryWouldSend_IsRecordedByteForByte()
    {
        await using var upstream = new YesUpstream(request => request.Method == "HEAD"
            ? "HTTP/1.1 204 No Content\r\n\r\n"
            : "HTTP/1.1 201 Created\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nok");

        var answers = await RawHttpClient.SendAsync(upstream.Port,
        [
            Encoding.UTF8.GetBytes("GET /../%2e%2e//\\a b#é\u0001 HTTP/1.1\r\n\r\n"),
            "HEAD * HTTP/1.1\r\n\r\n"u8.ToArray(),
        ]);

        Assert.Equal(
            // a byte is a char
            ["/../%2e%2e//\\a b#Ã©\u0001", "*"], upstream.Requests.Select(request => request.Target));
        Assert.Equal([201, 204], answers.Select(answer => answer.Status));
        Assert.Equal(("/x", "ok"), (answers[0].Head!["location"], answers[0].Body));
    }
}
