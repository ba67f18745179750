using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.EndToEndTests.Support;

/// <summary>A request as it arrived at a <see cref="YesUpstream"/>, byte for byte.</summary>
public sealed record RecordedRequest(string Method, string Target, HttpHead Head, byte[] Body);

/// <summary>An upstream that says yes to everything and remembers what it was asked.</summary>
/// <remarks>
/// A real registry answers much with 404, which hides what a more willing one would have done. This one has no router
/// and no HTTP library at all: what it records is what was on the wire.
/// </remarks>
public sealed class YesUpstream : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<RecordedRequest> _requests = new();
    private readonly Func<RecordedRequest, string>? _answer;
    private readonly Task _accepting;

    /// <summary>Starts on a free loopback port.</summary>
    /// <param name="answer">
    /// The raw answer to a request, head and body; <c>200</c> with an empty body unless given.
    /// </param>
    public YesUpstream(Func<RecordedRequest, string>? answer = null)
    {
        _answer = answer;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The address, <c>http://127.0.0.1:PORT</c>.</summary>
    public Uri Address => new($"http://127.0.0.1:{Port}");

    /// <summary>What arrived so far; within a connection in its order.</summary>
    public IReadOnlyCollection<RecordedRequest> Requests => _requests;

    /// <summary>Stops listening and closes every connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            // disposed
        }

        await Task.WhenAll(connections);
    }

    private async Task ServeAsync(TcpClient client)
    {
        await Task.Yield();
        using (client)
        {
            try
            {
                client.NoDelay = true;
                var stream = client.GetStream();
                var reader = new HttpMessageReader(stream);
                while (await reader.ReadHeadAsync(_stop.Token) is { } head)
                {
                    // The target is all between the first and the last space, whatever it holds.
                    var line = head.StartLine;
                    var first = line.IndexOf(' ', StringComparison.Ordinal);
                    var last = line.LastIndexOf(' ');
                    if (first < 0 || last <= first)
                    {
                        return;
                    }

                    if (string.Equals(head["Expect"], "100-continue", StringComparison.OrdinalIgnoreCase))
                    {
                        await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), _stop.Token);
                    }

                    var body = await reader.ReadBodyAsync(head, cancellationToken: _stop.Token);
                    var request = new RecordedRequest(line[..first], line[(first + 1)..last], head, body);
                    _requests.Enqueue(request);
                    var answer = _answer?.Invoke(request) ?? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    await stream.WriteAsync(Encoding.Latin1.GetBytes(answer), _stop.Token);
                }
            }
            catch (Exception ex) when (ex is IOException or SocketException or OperationCanceledException)
            {
                // The client left, or the test is over.
            }
        }
    }
}
