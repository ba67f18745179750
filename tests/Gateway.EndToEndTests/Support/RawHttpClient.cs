using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.EndToEndTests.Support;

/// <summary>An answer as received. <see cref="Status"/> is 0 where the connection ended without one.</summary>
public sealed record RawResponse(int Status, HttpHead? Head, string Body);

/// <summary>Sends requests as bytes: several connections, each with several requests under way.</summary>
public static class RawHttpClient
{
    private const int Depth = 32;

    /// <summary>Sends all requests to a loopback port and returns their answers in the same order.</summary>
    /// <param name="port">The port on 127.0.0.1.</param>
    /// <param name="requests">Whole requests; the bytes reach the wire unchanged.</param>
    /// <param name="connections">How many connections to keep busy.</param>
    public static async Task<RawResponse[]> SendAsync(int port, IReadOnlyList<byte[]> requests, int connections = 8)
    {
        var responses = new RawResponse[requests.Count];
        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            await Task.Yield();
            using var connection = new Connection(port);
            while (true)
            {
                var end = Interlocked.Add(ref next, Depth);
                var start = end - Depth;
                if (start >= requests.Count)
                {
                    return;
                }

                await connection.SendAsync(requests, responses, start, Math.Min(end, requests.Count));
            }
        }));
        return responses;
    }

    private sealed class Connection(int port) : IDisposable
    {
        private TcpClient? _client;
        private HttpMessageReader? _reader;

        public void Dispose() => _client?.Dispose();

        // Servers close after some answers (400 among them); what was sent behind those is sent again.
        public async Task SendAsync(IReadOnlyList<byte[]> requests, RawResponse[] responses, int start, int end)
        {
            while (start < end)
            {
                var fresh = _client is null;
                await EnsureConnectedAsync();
                var writing = WriteAsync(requests, start, end);
                var answered = start;
                while (answered < end && await ReadAsync(requests[answered]) is { } response)
                {
                    responses[answered++] = response;
                    if (string.Equals(response.Head!["Connection"], "close", StringComparison.OrdinalIgnoreCase))
                    {
                        break;
                    }
                }

                if (answered < end)
                {
                    Disconnect();
                    if (answered == start && fresh)
                    {
                        responses[answered++] = new RawResponse(0, null, "");
                    }
                }

                await writing;
                start = answered;
            }
        }

        private async Task WriteAsync(IReadOnlyList<byte[]> requests, int start, int end)
        {
            var bytes = new byte[Enumerable.Range(start, end - start).Sum(i => requests[i].Length)];
            for (int i = start, at = 0; i < end; at += requests[i++].Length)
            {
                requests[i].CopyTo(bytes, at);
            }

            try
            {
                await _client!.GetStream().WriteAsync(bytes);
            }
            catch (Exception ex) when (ex is IOException or ObjectDisposedException or InvalidOperationException)
            {
                // The reader sees the same end and decides.
            }
        }

        private async Task<RawResponse?> ReadAsync(byte[] request)
        {
            try
            {
                if (await _reader!.ReadHeadAsync() is not { } head)
                {
                    return null;
                }

                var status = int.Parse(head.StartLine.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture);
                var empty = request.AsSpan().StartsWith("HEAD "u8) || status is 204 or 304;
                var body = empty ? [] : await _reader.ReadBodyAsync(head, untilEnd: true);
                return new RawResponse(status, head, Encoding.Latin1.GetString(body));
            }
            catch (IOException)
            {
                return null;
            }
        }

        private async Task EnsureConnectedAsync()
        {
            if (_client is null)
            {
                _client = new TcpClient { NoDelay = true };
                await _client.ConnectAsync(IPAddress.Loopback, port);
                _reader = new HttpMessageReader(_client.GetStream());
            }
        }

        private void Disconnect()
        {
            _client?.Dispose();
            _client = null;
        }
    }
}
