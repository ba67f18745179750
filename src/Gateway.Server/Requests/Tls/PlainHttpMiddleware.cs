using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Server.Requests.Tls;

/// <summary>
/// Tells clients that speak plain HTTP to the TLS port what to do, where the handshake would only close the connection:
/// one answer, 400, and the connection ends. Nothing of what they sent is interpreted, and nothing gets past it without
/// TLS.
/// </summary>
/// <remarks>
/// The first byte of every TLS connection is 22 (RFC 8446, section 5.1), which no method begins with. It is looked at
/// and left in the pipe for the handshake, whose time-out holds for it as well. Anything else but the beginning of a
/// request goes on to the handshake, which refuses it as ever.
/// </remarks>
internal sealed class PlainHttpMiddleware(ConnectionDelegate next, Uri publicUrl, TimeSpan timeout, TimeProvider time)
{
    private const byte HandshakeRecord = 22;
    private const int LongestMethod = 16;
    private const int MostDrained = 1024 * 1024;

    // What is not read when a socket is closed makes it a reset, and the client loses the answer.
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(2);

    private readonly byte[] _answer = Encoding.ASCII.GetBytes(
        Answer(publicUrl.GetLeftPart(UriPartial.Authority), withBody: true));
    private readonly byte[] _answerToHead = Encoding.ASCII.GetBytes(
        Answer(publicUrl.GetLeftPart(UriPartial.Authority), withBody: false));

    private enum Beginning
    {
        Incomplete,
        Other,
        Request,
        HeadRequest,
    }

    public async Task OnConnectionAsync(ConnectionContext connection)
    {
        Beginning beginning;
        try
        {
            beginning = await LookAsync(connection);
        }
        catch (OperationCanceledException)
        {
            connection.Abort(new ConnectionAbortedException("The client did not begin a TLS handshake in time."));
            return;
        }
        catch (IOException)
        {
            return; // the client hung up; no error of ours, and nothing that a client may fill the log with
        }

        if (beginning is Beginning.Request or Beginning.HeadRequest)
        {
            await RefuseAsync(connection, beginning == Beginning.HeadRequest ? _answerToHead : _answer);
            return;
        }

        await next(connection);
    }

    private async Task<Beginning> LookAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        using var limit = new CancellationTokenSource(timeout, time);
        while (true)
        {
            var result = await input.ReadAsync(limit.Token);
            var beginning = Read(result.Buffer);
            if (beginning != Beginning.Incomplete || result.IsCompleted)
            {
                input.AdvanceTo(result.Buffer.Start); // examined nothing: the next read gets it at once
                return beginning;
            }

            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    // A method in capitals and a space: all requests of clients, and the preface of HTTP/2 ("PRI * HTTP/2.0").
    private static Beginning Read(ReadOnlySequence<byte> input)
    {
        if (input.IsEmpty)
        {
            return Beginning.Incomplete;
        }

        if (input.FirstSpan[0] == HandshakeRecord)
        {
            return Beginning.Other;
        }

        Span<byte> start = stackalloc byte[LongestMethod];
        var length = (int)Math.Min(input.Length, LongestMethod);
        input.Slice(0, length).CopyTo(start);
        start = start[..length];
        var method = start.IndexOfAnyExceptInRange((byte)'A', (byte)'Z');
        return method < 0 ? (length < LongestMethod ? Beginning.Incomplete : Beginning.Other)
            : method == 0 || start[method] != (byte)' ' ? Beginning.Other
            : start[..method].SequenceEqual("HEAD"u8) ? Beginning.HeadRequest
            : Beginning.Request;
    }

    private async Task RefuseAsync(ConnectionContext connection, byte[] answer)
    {
        using var limit = new CancellationTokenSource(LongestDrain, time);
        try
        {
            await connection.Transport.Output.WriteAsync(answer, limit.Token);
            await DrainAsync(connection.Transport.Input, limit.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // It reads nothing, goes on sending, or has left: the connection ends now.
        }
    }

    // Until the client closes, as the answer tells it to.
    private static async Task DrainAsync(PipeReader input, CancellationToken cancellationToken)
    {
        for (long drained = 0; drained < MostDrained;)
        {
            var result = await input.ReadAsync(cancellationToken);
            drained += result.Buffer.Length;
            input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    // The error body of the registry API, which docker, oras and others print.
    private static string Answer(string url, bool withBody)
    {
        var body = "{\"errors\":[{\"code\":\"UNSUPPORTED\",\"message\":\"this port expects HTTPS, but the request used "
            + $"plain HTTP; use {url}\",\"detail\":{{}}}}]}}";
        return "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
            + $"Content-Length: {body.Length}\r\nConnection: close\r\n\r\n{(withBody ? body : "")}";
    }
}
