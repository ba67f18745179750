using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Server.Registry.Proxying;

namespace Gateway.Tests.Server.Registry.Proxying;

/// <summary>
/// When a write to an upstream that has hung up is taken for an answered one: on a real socket, without a client.
/// </summary>
public sealed class UpstreamConnectionTests
{
    private const string Continue = "HTTP/1.1 100 Continue\r\n\r\n";
    private const string Answer = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";

    [Theory]
    [InlineData(true, Answer, true)]
    [InlineData(true, "", false)] // no answer
    [InlineData(true, Continue, false)] // none yet
    [InlineData(true, Continue + Answer, true)]
    // said before anything was asked: the client sends it again, on another connection
    [InlineData(false, Answer, false)]
    public async Task Write_ToABrokenConnection_SucceedsOnlyAfterAnAnswerToIt(bool hasBegun, string said, bool succeeds)
    {
        var (ours, theirs) = await ConnectAsync();
        await using var connection = new UpstreamConnection(ours);
        BodyExchange.Begin();
        if (hasBegun)
        {
            await connection.WriteAsync("PATCH / HTTP/1.1\r\n\r\n"u8.ToArray());
        }

        await theirs.SendAsync(Encoding.Latin1.GetBytes(said));
        theirs.Close(0);
        await IsResetAsync(ours.Socket);

        var writing = WriteUntilBrokenAsync(connection);

        if (succeeds)
        {
            await writing;
            await connection.WriteAsync(new byte[100]); // and the rest goes nowhere
            var buffer = new byte[1000];
            Assert.Equal(said, Encoding.Latin1.GetString(buffer, 0, await connection.ReadAsync(buffer)));
        }
        else
        {
            await Assert.ThrowsAsync<IOException>(() => writing);
        }
    }

    // Without a body nothing is sent for long: what fails, fails.
    [Fact]
    public async Task Write_OfARequestWithoutABody_FailsAsEver()
    {
        var (ours, theirs) = await ConnectAsync();
        await using var connection = new UpstreamConnection(ours);
        await connection.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        await theirs.SendAsync(Encoding.Latin1.GetBytes(Answer));
        theirs.Close(0);

        await Assert.ThrowsAsync<IOException>(() => WriteUntilBrokenAsync(connection));
    }

    private static async Task<(NetworkStream Ours, Socket Theirs)> ConnectAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndpoint);
        return (new NetworkStream(socket, ownsSocket: true), await listener.AcceptSocketAsync());
    }

    // Until then a first write would succeed.
    private static async Task IsResetAsync(Socket socket)
    {
        const int tcp = 6, information = 11, closed = 7; // Linux: IPPROTO_TCP, TCP_INFO, TCP_CLOSE
        var state = new byte[1];
        for (var attempt = 0; state[0] != closed; attempt++)
        {
            Assert.True(attempt < 2000, $"the connection is still in state {state[0]}");
            await Task.Delay(10);
            socket.GetRawSocketOption(tcp, information, state);
        }
    }

    // Far more than any buffer holds.
    private static async Task WriteUntilBrokenAsync(UpstreamConnection connection)
    {
        for (var i = 0; i < 1000; i++)
        {
            await connection.WriteAsync(new byte[64 * 1024]);
        }
    }
}
