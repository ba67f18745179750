using System.Net.Sockets;
using System.Text;

namespace Gateway.Doctor.Client;

/// <summary>The way from this machine to a host: directly, or through a proxy.</summary>
/// <param name="Proxy">The proxy; <see langword="null"/>: directly.</param>
internal sealed record Route(Uri? Proxy)
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(8);

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">Nothing answers there.</exception>
    /// <exception cref="ProxyRefusalException">The proxy does not let it through.</exception>
    /// <exception cref="TimeoutException">It takes too long.</exception>
    public async Task<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ConnectTimeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(Proxy?.IdnHost.Trim('[', ']') ?? host, Proxy?.Port ?? port, limit.Token);
            var stream = new NetworkStream(socket, ownsSocket: true);
            if (Proxy is not null)
            {
                await TunnelAsync(stream, host, port, limit.Token);
            }

            return stream;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TimeoutException($"no connection to {Proxy?.Authority ?? $"{host}:{port}"} within {DoctorText.Span(ConnectTimeout)}");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // RFC 9110, section 9.3.6.
    private async Task TunnelAsync(NetworkStream stream, string host, int port, CancellationToken cancellationToken)
    {
        var authorization = Proxy!.UserInfo.Length == 0 ? "" : $"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(Proxy.UserInfo)))}\r\n";
        var authority = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{authorization}\r\n"), cancellationToken);
        var answer = await RawHttp.ReadHeadAsync(stream, cancellationToken);
        if (answer.Status is < 200 or > 299)
        {
            throw new ProxyRefusalException(answer.Status, answer.Status == 407 ? $"{Proxy.Authority} asks for a sign-in of its own (407)" : $"{Proxy.Authority} answers {answer.Line} to CONNECT {authority}");
        }
    }
}

/// <summary>A proxy does not let a connection through.</summary>
internal sealed class ProxyRefusalException(int status, string message) : Exception(message)
{
    /// <summary>What it answered.</summary>
    public int Status { get; } = status;
}
