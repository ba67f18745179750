using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Gateway.Tests.Support;

/// <summary>
/// An upstream that answers once it has read a request's head and some of its body, and hangs up on the rest.
/// </summary>
internal sealed class EarlyUpstream : IAsyncDisposable
{
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(500); // net/http: rstAvoidanceDelay

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _answer;
    private readonly int _reads;
    private readonly bool _lingers;
    private readonly bool _continues;
    private readonly X509Certificate2? _certificate;
    private readonly Task _loop;
    private int _connections;

    /// <param name="answer">
    /// Its answer as bytes; empty: it hangs up without one. GET is answered 200, as a probe is.
    /// </param>
    /// <param name="reads">How many bytes of the body it reads before it answers.</param>
    /// <param name="lingers">
    /// Whether it waits between answer and hanging up, as Go does; else both come at once.
    /// </param>
    /// <param name="continues">Whether it says "100 Continue" first.</param>
    /// <param name="certificate">What it shows under TLS; without one it speaks plain HTTP.</param>
    public EarlyUpstream(
        string answer, int reads = 0, bool lingers = false, bool continues = false,
        X509Certificate2? certificate = null)
    {
        (_answer, _reads, _lingers, _continues, _certificate) = (answer, reads, lingers, continues, certificate);
        _listener.Start();
        var port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        Address = new Uri(certificate is null ? $"http://127.0.0.1:{port}" : $"https://localhost:{port}");
        _loop = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>How many connections were made to it.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>An answer of a status, as a registry words it.</summary>
    public static string Answer(int status, string body, string headers = "") => string.Create(
        CultureInfo.InvariantCulture,
        $"HTTP/1.1 {status} Early\r\nContent-Type: application/json\r\nContent-Length:"
            + $" {body.Length}\r\n{headers}\r\n{body}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                connections.Add(ServeAsync(socket));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                Stream stream = new NetworkStream(socket);
                if (_certificate is not null)
                {
                    var encrypted = new SslStream(stream);
                    stream = encrypted;
                    await encrypted.AuthenticateAsServerAsync(
                        new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
                }

                while (await ServeOneAsync(socket, stream))
                {
                    // a GET: the connection stays
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException)
            {
                // the test has ended, or the gateway has hung up
            }
        }
    }

    private async Task<bool> ServeOneAsync(Socket socket, Stream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
            {
                return false;
            }

            head.Append((char)one[0]);
        }

        if (head.ToString().StartsWith("GET ", StringComparison.Ordinal))
        {
            await SendAsync(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
            return true;
        }

        if (_continues)
        {
            await SendAsync(stream, "HTTP/1.1 100 Continue\r\n\r\n");
        }

        var buffer = new byte[64 * 1024];
        for (var read = 0; read < _reads;)
        {
            read += await stream.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, _reads - read)), _stop.Token);
        }

        await SendAsync(stream, _answer);
        if (_lingers)
        {
            socket.Shutdown(SocketShutdown.Send);
            await Task.Delay(Linger, _stop.Token);
        }
        else
        {
            // So that there is something unread, at which the system resets the connection.
            await stream.ReadExactlyAsync(one, _stop.Token);
        }

        return false;
    }

    private async Task SendAsync(Stream stream, string text)
    {
        if (text.Length > 0)
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text), _stop.Token);
        }
    }
}
