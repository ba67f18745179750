using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Gateway.Bench.Load;

/// <summary>One TLS connection to a front, and single requests on it. Dispose closes it.</summary>
internal sealed class TlsConnection : IAsyncDisposable
{
    private readonly CountingStream _received;
    private readonly SslStream _tls;

    private TlsConnection(CountingStream received, SslStream tls)
    {
        _received = received;
        _tls = tls;
    }

    /// <summary>The bytes that the front sent in the handshake: few if it resumed an earlier session.</summary>
    public long HandshakeBytes { get; private init; }

    /// <summary>Connects.</summary>
    /// <param name="address">The front's base URL.</param>
    /// <param name="trust">The authority to trust.</param>
    /// <param name="mayResume">Whether an earlier session may be resumed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<TlsConnection> OpenAsync(
        Uri address, X509ChainPolicy trust, bool mayResume, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        CountingStream? received = null;
        SslStream? tls = null;
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, address.Port, cancellationToken);
            received = new CountingStream(new NetworkStream(socket, ownsSocket: true));
            tls = new SslStream(received);
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = address.Host,
                    CertificateChainPolicy = trust,
                    AllowTlsResume = mayResume,
                },
                cancellationToken);
            return new TlsConnection(received, tls) { HandshakeBytes = received.Count };
        }
        catch
        {
            socket.Dispose();
            await (tls?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (received?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw;
        }
    }

    /// <summary>Sends a GET, and reads an answer of up to 64 KiB that has no body or a short one.</summary>
    /// <param name="path">The path.</param>
    /// <param name="host">The <c>Host</c> header.</param>
    /// <param name="authorization">The <c>Authorization</c> header, if any.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="BenchException">It was not answered 200.</exception>
    public async Task GetAsync(string path, string host, string? authorization, CancellationToken cancellationToken)
    {
        var header = authorization is null ? "" : $"Authorization: {authorization}\r\n";
        await _tls.WriteAsync(
            Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {host}\r\n{header}\r\n"), cancellationToken);
        var buffer = new byte[64 * 1024];
        var read = await _tls.ReadAsync(buffer, cancellationToken);
        var start = Encoding.ASCII.GetString(buffer, 0, Math.Min(read, 64));
        if (!start.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
        {
            throw new BenchException($"GET {path} at {host} was answered: {start}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _tls.DisposeAsync();
        await _received.DisposeAsync();
    }
}
