using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.EndToEndTests.Doctor;

/// <summary>A forward proxy that knows CONNECT, and may refuse it.</summary>
internal sealed class ForwardProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private Task _serving = Task.CompletedTask;
    private int _tunnels;

    public string Url =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"http://user:proxy-password@127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>What it answers.</summary>
    public int Status { get; set; } = 200;

    /// <summary>How many connections it let through.</summary>
    public int Tunnels => Volatile.Read(ref _tunnels);

    public static Task<ForwardProxy> StartAsync()
    {
        var proxy = new ForwardProxy();
        proxy._listener.Start();
        proxy._serving = proxy.ServeAsync();
        return Task.FromResult(proxy);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        await _serving;
        _ending.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                _ = TunnelAsync(await _listener.AcceptTcpClientAsync(_ending.Token));
            }
        }
        catch (OperationCanceledException)
        {
            // the test is over
        }
    }

    private async Task TunnelAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                var stream = client.GetStream();
                var head = "";
                var one = new byte[1];
                while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal)
                    && await stream.ReadAsync(one, _ending.Token) == 1)
                {
                    head += (char)one[0];
                }

                Assert.Contains("Proxy-Authorization: Basic", head, StringComparison.Ordinal);
                await stream.WriteAsync(
                    Encoding.ASCII.GetBytes(
                        string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {Status} Said\r\n\r\n")), _ending.Token);
                if (Status != 200)
                {
                    return;
                }

                Interlocked.Increment(ref _tunnels);
                var target = head.Split(' ')[1].Split(':');
                using var server = new TcpClient();
                await server.ConnectAsync(target[0], int.Parse(target[1], CultureInfo.InvariantCulture), _ending.Token);
                await Task.WhenAny(
                    stream.CopyToAsync(server.GetStream(), _ending.Token),
                    server.GetStream().CopyToAsync(stream, _ending.Token));
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
        {
            // either side hung up
        }
    }
}
