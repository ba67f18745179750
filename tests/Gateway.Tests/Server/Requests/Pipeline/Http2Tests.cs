using System.Net;
using System.Net.Security;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Requests.Pipeline;

/// <summary>HTTP/2 frames that no honest client sends: whatever becomes of them, none reaches an upstream.</summary>
public sealed class Http2Tests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    private const string Honest = ":method GET|:scheme https|:authority registry.test|:path /v2/a/manifests/1";
    private const byte Headers = 1;
    private const byte Reset = 3;
    private const byte Settings = 4;
    private const byte GoAway = 7;

    [Theory]
    [InlineData(Honest, "200")] // the neighbours: honest requests
    [InlineData(":method GET|:scheme https|:path /v2/a/manifests/1|host registry.test", "200")]
    [InlineData(Honest + "|x_forwarded_host evil.example|x-forwarded-host evil.example", "200")]
    [InlineData(":method GET|:scheme https|:authority evil.example|:path /v2/a/manifests/1", "421")]
    // :authority counts, wherever Host points
    [InlineData(":method GET|:scheme https|:authority evil.example|:path /v2/a/manifests/1|host registry.test", "421")]
    [InlineData(Honest + "|host evil.example", "200")]
    [InlineData(":method GET|:scheme https|:authority registry.test|:path /v2/a/../b/manifests/1", "400")]
    [InlineData(":method GET|:scheme https|:authority registry.test|:path /v2/a%2Fb/manifests/1", "400")]
    [InlineData(":method GET|:scheme https|:authority registry.test|:path /V2/a/manifests/1", "404")]
    [InlineData(
        ":method GET|:scheme https|:authority registry.test|:path https://registry.test/v2/a/manifests/1", "reset")]
    [InlineData(":method GET|:scheme https|:authority registry.test|:path ", "reset")]
    [InlineData(":method GET|:scheme http|:authority registry.test|:path /v2/a/manifests/1", "reset")]
    [InlineData(":method get|:scheme https|:authority registry.test|:path /v2/a/manifests/1", "405")]
    [InlineData(":method TRACE|:scheme https|:authority registry.test|:path /v2/a/manifests/1", "405")]
    [InlineData(":method OPTIONS|:scheme https|:authority registry.test|:path /v2/a/manifests/1", "405")]
    [InlineData(":method OPTIONS|:scheme https|:authority registry.test|:path *", "404")]
    [InlineData(":method CONNECT|:authority registry.test:443", "404")]
    [InlineData(
        ":method CONNECT|:protocol websocket|:scheme https|:authority registry.test|:path /v2/a/manifests/1", "400")]
    [InlineData(Honest + "|:path /v2/b/manifests/1", "goaway")]
    [InlineData(Honest + "|:unknown x", "goaway")]
    [InlineData(":method GET|:scheme https|:authority registry.test|accept x|:path /v2/a/manifests/1", "goaway")]
    [InlineData(Honest + "|Accept x", "goaway")]
    [InlineData(Honest + "|connection close", "goaway")]
    [InlineData(Honest + "|transfer-encoding chunked", "400")]
    [InlineData(Honest + "|upgrade websocket", "400")]
    [InlineData(Honest + "|te gzip", "goaway")]
    [InlineData(Honest + "|content-length 5", "reset")]
    [InlineData(Honest + "|x-http-method-override DELETE", "400")]
    [InlineData(Honest + "|accept caf\u00c3\u00a9", "400")]
    public async Task Request_OfThisShape_IsAnsweredSo(string fields, string expected)
    {
        var before = shared.Upstream.Requests.Count;

        var answer = await SendAsync(fields + $"|authorization {TestGateway.Basic("admin")}");

        Assert.Equal(expected, answer);
        Assert.Equal(expected == "200" ? 1 : 0, shared.Upstream.Requests.Count - before);
    }

    [Fact]
    public async Task Body_ThatBreaksOffUpstream_IsResetAndDoesNotLookComplete()
    {
        await using var upstream = new RawUpstream(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        await using var gateway = await TestGateway.StartAsync(upstream.Address);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{TestGateway.Host}/v2/a/manifests/1")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Headers = { { "Authorization", TestGateway.Basic("admin") } },
        };

        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            using var answer = await gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await answer.Content.ReadAsByteArrayAsync();
        });
    }

    // The status of the answer, or how the stream or the connection was ended instead.
    private async Task<string> SendAsync(string fields)
    {
        await using var stream = await shared.Gateway.ConnectAsync(SslApplicationProtocol.Http2);
        var block = new List<byte>();
        foreach (var field in fields.Split('|'))
        {
            var space = field.IndexOf(' ', StringComparison.Ordinal);
            block.Add(0x10); // RFC 7541, section 6.2.3: name and value as they stand
            Append(block, field[..space]);
            Append(block, field[(space + 1)..]);
        }

        await stream.WriteAsync(Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
        await stream.WriteAsync(Frame(Settings, 0, 0, []));
        await stream.WriteAsync(Frame(Headers, flags: 0x05, stream: 1, [.. block])); // END_HEADERS, END_STREAM
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var head = new byte[9];
        while (true)
        {
            await stream.ReadExactlyAsync(head, limit.Token);
            var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await stream.ReadExactlyAsync(payload, limit.Token);
            switch (head[3])
            {
                case Headers:
                    return Status(payload);
                case Reset:
                    return "reset";
                case GoAway:
                    return "goaway";
            }
        }
    }

    private static void Append(List<byte> block, string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        Assert.InRange(bytes.Length, 0, 126); // longer ones have another form
        block.Add((byte)bytes.Length);
        block.AddRange(bytes);
    }

    private static byte[] Frame(byte type, byte flags, byte stream, byte[] payload) =>
        [0, (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, stream, .. payload];

    // :status comes first: from the static table, or as a literal under its index (RFC 7541, appendix A).
    private static string Status(byte[] block) => block[0] switch
    {
        0x88 => "200",
        0x8c => "400",
        0x8d => "404",
        0x8e => "500",
        _ => Encoding.ASCII.GetString(block, 2, block[1]),
    };
}
