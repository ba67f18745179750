using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Gateway.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Requests.Tls;

/// <summary>Plain HTTP on the TLS port: one sentence with the right URL, and nothing gets in.</summary>
public sealed class PlainHttpTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    private const string Sentence = "\"message\":\"this port expects HTTPS, but the request used plain HTTP; use "
        + "https://registry.test\"";

    private readonly TestGateway _gateway = shared.Gateway;

    [Theory]
    [InlineData("GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET /healthz HTTP/1.0\r\n\r\n")]
    [InlineData("OPTIONS * HTTP/1.1\r\n")] // whatever follows
    [InlineData("DELETE ")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")] // HTTP/2 without TLS
    [InlineData("CONNECT registry.test:443 HTTP/1.1\r\n\r\n")]
    [InlineData("GET /v2/ HTTP/1.1\r\n\r\nGET /v2/ HTTP/1.1\r\n\r\n")] // several are answered once
    public async Task Request_WithoutTls_IsToldTheRightUrl(string request)
    {
        var answer = await SendAsync(request);

        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        Assert.Contains(Sentence, answer, StringComparison.Ordinal);
        Assert.Single(answer.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(shared.Upstream.Requests);
    }

    [Fact]
    public async Task Head_WithoutTls_GetsNoBody()
    {
        var answer = await SendAsync("HEAD /v2/ HTTP/1.1\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("get /v2/ HTTP/1.1\r\n\r\n")]
    [InlineData(" GET /v2/ HTTP/1.1\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9\r\n")]
    [InlineData("ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1\r\n\r\n")]
    [InlineData("\u0080\u002e\u0001\u0003\u0001 GET / HTTP/1.1\r\n\r\n")]
    [InlineData("\0GET / HTTP/1.1\r\n\r\n")]
    public async Task OtherBytes_AreLeftToTheHandshake_WhichHangsUp(string bytes) =>
        Assert.DoesNotContain("HTTP/1.1", await SendAsync(bytes), StringComparison.Ordinal);

    [Fact]
    public async Task Upload_WithoutTls_HearsTheAnswerDespiteItsBody()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _gateway.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync("POST /v2/a/blobs/uploads/ HTTP/1.1\r\nContent-Length: 300000\r\n\r\n"u8.ToArray());
        await stream.WriteAsync(new byte[300_000]);
        socket.Client.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream);

        Assert.Contains(Sentence, await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_InPieces_IsToldTheSame()
    {
        using var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, _gateway.Port);
        await using var stream = socket.GetStream();
        foreach (var one in "GET /"u8.ToArray())
        {
            await stream.WriteAsync(new[] { one });
        }

        using var reader = new StreamReader(stream);
        Assert.Contains(Sentence, await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    // The neighbours: TLS of both protocols, also where the first record comes byte by byte.
    [Theory]
    [InlineData("http/1.1")]
    [InlineData("h2")]
    public async Task Tls_InPieces_IsServed(string protocol)
    {
        using var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, _gateway.Port);
        await using var tls = new SslStream(new TricklingStream(socket.Client), leaveInnerStreamOpen: false);

        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = TestGateway.Host,
            ApplicationProtocols = [new SslApplicationProtocol(protocol)],
#pragma warning disable CA5359 // whom it speaks to is not the question
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
        });

        Assert.Equal(protocol, Encoding.ASCII.GetString(tls.NegotiatedApplicationProtocol.Protocol.Span));
    }

    [Theory]
    [InlineData("")]
    [InlineData("GE")]
    public async Task Connection_ThatSaysNothing_IsClosedWhenTheHandshakesTimeIsOver(string beginning)
    {
        using var folder = new TestFolder();
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var server = await TlsServer.StartAsync(
            clock, folder.Write("tls", TestAuthority.CreateRoot().Issue(["localhost"], RSA.Create(2048))));
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.Port);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(beginning));

        var end = ReadToEndAsync(socket.GetStream());
        await Eventually.TrueAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(5));
            return end.IsCompleted;
        });

        Assert.Equal("", await end);
    }

    private async Task<string> SendAsync(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _gateway.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        socket.Client.Shutdown(SocketShutdown.Send);
        return await ReadToEndAsync(stream);
    }

    private static async Task<string> ReadToEndAsync(NetworkStream stream)
    {
        var all = new MemoryStream();
        try
        {
            await stream.CopyToAsync(all);
        }
        catch (IOException)
        {
            // a reset is an end as well
        }

        return Encoding.Latin1.GetString(all.ToArray());
    }

    private sealed class TricklingStream(Socket socket) : NetworkStream(socket, ownsSocket: false)
    {
        public override async ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (var i = 0; i < buffer.Length; i++)
            {
                await base.WriteAsync(buffer.Slice(i, 1), cancellationToken);
            }
        }
    }
}
