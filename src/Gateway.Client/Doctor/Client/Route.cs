using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Gateway.Client.Doctor.Client;

/// <summary>How this machine connects to a host: directly, or through a proxy.</summary>
/// <param name="Proxy">The proxy; <see langword="null"/>: directly.</param>
internal sealed record Route(Uri? Proxy)
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(8);

    /// <summary>The route to an address with a client's proxies.</summary>
    public static Route For(ProxySettings settings, Uri url) =>
        new(settings.For(url) is { } text && TryParseProxy(text, out var proxy) ? proxy : null);

    /// <summary>Reads a proxy's address; http where no scheme is written.</summary>
    public static bool TryParseProxy(string text, [NotNullWhen(true)] out Uri? proxy) =>
        Uri.TryCreate(
            text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out proxy)
                && proxy.Host.Length > 0;

    /// <summary>Connects.</summary>
    /// <exception cref="AuthenticationException">The proxy has TLS, and its certificate is not trusted.</exception>
    /// <exception cref="SocketException">Nothing answers there.</exception>
    /// <exception cref="ProxyRefusalException">The proxy refuses the connection.</exception>
    /// <exception cref="TimeoutException">It takes too long.</exception>
    public async Task<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ConnectTimeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(Proxy?.IdnHost.Trim('[', ']') ?? host, Proxy?.Port ?? port, limit.Token);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (Proxy is null)
            {
                return stream;
            }

            if (Proxy.Scheme == "https")
            {
                // Its password is sent to it, so its certificate is judged as the system does.
                var tls = new SslStream(stream);
                stream = tls;
                await tls.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions { TargetHost = Proxy.IdnHost.Trim('[', ']') }, limit.Token);
            }

            await TunnelAsync(stream, host, port, limit.Token);
            return stream;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TimeoutException(
                $"no connection to {Proxy?.Authority ?? $"{host}:{port}"} within {DoctorText.Span(ConnectTimeout)}");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // RFC 9110, section 9.3.6.
    private async Task TunnelAsync(Stream stream, string host, int port, CancellationToken cancellationToken)
    {
        var login = Uri.UnescapeDataString(
            Proxy!.UserInfo.Contains(':', StringComparison.Ordinal) ? Proxy.UserInfo : Proxy.UserInfo + ":");
        var authorization = Proxy.UserInfo.Length == 0
            ? ""
            : $"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(login))}\r\n";
        var authority = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{authorization}\r\n"),
            cancellationToken);
        var answer = await RawHttp.ReadHeadAsync(stream, cancellationToken);
        if (answer.Status is < 200 or > 299)
        {
            throw new ProxyRefusalException(
                answer.Status,
                answer.Status == 407
                    ? $"{Proxy.Authority} requires a sign-in of its own (407)"
                    : $"{Proxy.Authority} answers {answer.Line} to CONNECT {authority}");
        }
    }
}

/// <summary>A proxy refuses a connection.</summary>
internal sealed class ProxyRefusalException(int status, string message) : Exception(message)
{
    /// <summary>The proxy's answer.</summary>
    public int Status { get; } = status;
}
