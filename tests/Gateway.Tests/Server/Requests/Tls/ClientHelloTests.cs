using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Gateway.Server.Requests.Tls;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Requests.Tls;

public sealed class ClientHelloTests : IDisposable
{
    private readonly TestAuthority _root = TestAuthority.CreateRoot();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ECDSA", "-tls1_3")]
    [InlineData("ECDSA", "-tls1_2")]
    [InlineData("RSA", "-tls1_3", "-sigalgs", "RSA-PSS+SHA256")]
    [InlineData("RSA", "-tls1_2", "-sigalgs", "RSA+SHA256")]
    [InlineData("RSA", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")]
    [InlineData("ECDSA", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")]
    [InlineData("ECDSA", "-sigalgs", "ECDSA+SHA256")]
    public async Task Handshake_BothKindsForOneName_ServesWhatTheClientVerifies(
        string expected, params string[] arguments)
    {
        await using var server = await TlsServer.StartAsync(
            _folder.Write("ecdsa", _root.Issue(["localhost"])),
            _folder.Write("rsa", _root.Issue(["localhost"], RSA.Create(2048))));

        foreach (var name in new[] { "localhost", "unknown.test" })
        {
            var (_, output) = await Tool.SClientAsync(server.Port, ["-servername", name, .. arguments]);

            Assert.Contains("HTTP/1.1 200 OK", output, StringComparison.Ordinal);
            Assert.Contains(
                expected == "RSA" ? "Server public key is 2048 bit" : "Server public key is 256 bit",
                output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Handshake_ClientHelloInSmallPieces_IsServed()
    {
        await using var server = await StartWithBothAsync();
        var hello = await RecordClientHelloAsync();
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, server.Port);
        foreach (var piece in hello.Chunk(100))
        {
            await client.GetStream().WriteAsync(piece);
        }

        var answer = new byte[6];
        await client.GetStream().ReadExactlyAsync(answer);

        Assert.Equal((22, 2), (answer[0], answer[5])); // a handshake record with a ServerHello
    }

    [Fact]
    public async Task Handshake_ClientHangsUpOrTalksNonsense_LeavesTheServerServing()
    {
        await using var server = await StartWithBothAsync();
        foreach (var nonsense in new[] { "", "\u0016", "\u0016\u0003\u0001\u0040", "GET / HTTP/1.1\r\n\r\n" })
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, server.Port);
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(nonsense));
            client.LingerState = new LingerOption(true, 0); // ends in a reset
        }

        Assert.NotNull(await server.ConnectAsync("localhost"));
        Assert.DoesNotContain(server.Log.Lines, static line => line.Contains(" Error ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Handshake_ClientSaysNothing_IsHungUpOnAfterTenSeconds()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var server = await TlsServer.StartAsync(
            clock,
            _folder.Write("ecdsa", _root.Issue(["localhost"])),
            _folder.Write("rsa", _root.Issue(["localhost"], RSA.Create(2048))));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port);
        var end = client.GetStream().ReadAsync(new byte[1]).AsTask();

        // The server accepts the connection in its own time, so the clock is moved until it has.
        for (var i = 0; i < 100 && !end.IsCompleted; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(11));
            await Task.WhenAny(end, Task.Delay(TimeSpan.FromMilliseconds(50)));
        }

        Assert.True(end.IsCompleted);
        await Record.ExceptionAsync(() => end); // an end or a reset
    }

    [Fact]
    public async Task VerifiesEcdsa_EveryPrefixOfARealHello_AsksForMore()
    {
        var hello = await RecordClientHelloAsync();

        for (var length = 0; length < hello.Length; length++)
        {
            Assert.Null(ClientHello.VerifiesEcdsa(new ReadOnlySequence<byte>(hello, 0, length)));
        }

        Assert.True(ClientHello.VerifiesEcdsa(new ReadOnlySequence<byte>(hello)));
    }

    [Fact]
    public async Task VerifiesEcdsa_MutatedHello_NeverThrows()
    {
        var hello = await RecordClientHelloAsync();
        var random = new Random(1);
        for (var i = 0; i < 200_000; i++)
        {
            var mutated = hello.ToArray();
            for (var changes = random.Next(1, 6); changes > 0; changes--)
            {
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            }

            ClientHello.VerifiesEcdsa(new ReadOnlySequence<byte>(mutated, 0, random.Next(mutated.Length + 1)));
        }
    }

    private Task<TlsServer> StartWithBothAsync() => TlsServer.StartAsync(
        _folder.Write("ecdsa", _root.Issue(["localhost"])),
        _folder.Write("rsa", _root.Issue(["localhost"], RSA.Create(2048))));

    // What openssl really sends.
    private static async Task<byte[]> RecordClientHelloAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = Tool.SClientAsync(((IPEndPoint)listener.LocalEndpoint).Port, "-servername", "localhost");
        byte[] hello;
        using (var connection = await listener.AcceptTcpClientAsync())
        {
            var header = new byte[5];
            await connection.GetStream().ReadExactlyAsync(header);
            var body = new byte[(header[3] << 8) | header[4]];
            await connection.GetStream().ReadExactlyAsync(body);
            hello = [.. header, .. body];
        }

        await client;
        return hello;
    }
}
