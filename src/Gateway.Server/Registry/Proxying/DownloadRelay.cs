using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// Passes the body of an upstream's answer on to the client. It is read straight into the memory from which the server
/// encrypts; the forwarder would read into a buffer of its own and copy (docs/performance-notes-requests.md).
/// </summary>
internal static class DownloadRelay
{
    // What one TLS record holds. Smaller pieces make more records; larger ones more memory for each connection.
    private const int PieceSize = 16 * 1024;

    // What fits the server's buffers is gone in a moment: the time limit that began with the headers is enough for it.
    private const long SmallBody = 64 * 1024;
    private static readonly TimeSpan LongPatience = TimeSpan.FromSeconds(30);

    private const int InternalError = 2, Cancel = 8; // RFC 9113, section 7

    /// <summary>Passes it on, or cuts the client off: a broken body must not look complete.</summary>
    /// <param name="context">The request; status and headers of its answer are set.</param>
    /// <param name="answer">The upstream's answer.</param>
    /// <param name="patience">How long the upstream, or the client, may be silent.</param>
    /// <param name="cancellationToken">The client has left, or was silent that long since the headers came.</param>
    /// <returns>
    /// Ends with the body. What went wrong is an <see cref="IForwarderErrorFeature"/> then, as with the forwarder.
    /// </returns>
    public static async Task CopyAsync(
        HttpContext context, HttpResponseMessage answer, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var silence = answer.Content.Headers.ContentLength is <= SmallBody && patience >= LongPatience
            ? null
            : CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var token = silence?.Token ?? cancellationToken;
        var isReading = true;
        try
        {
            var output = context.Response.BodyWriter;
            await using var input = await answer.Content.ReadAsStreamAsync(token);
            while (true)
            {
                silence?.CancelAfter(patience);
                var read = await input.ReadAsync(output.GetMemory(PieceSize), token);
                if (read == 0)
                {
                    return;
                }

                output.Advance(read);
                isReading = false;
                silence?.CancelAfter(patience);
                await output.FlushAsync(token);
                isReading = true;
            }
        }
        catch (Exception exception)
        {
            Fail(context, exception, isReading);
        }
    }

    /// <summary>Passes on a body that is in memory, or cuts the client off.</summary>
    /// <param name="context">The request; status and headers of its answer are set.</param>
    /// <param name="body">The body.</param>
    /// <param name="patience">How long the client may be silent.</param>
    /// <param name="time">The clock.</param>
    /// <returns>As <see cref="CopyAsync"/>.</returns>
    /// <remarks>
    /// In pieces: the server copies what it is given at once, so many clients that read nothing would each hold a copy
    /// of the whole, and what was written would not tell how much of it was read.
    /// </remarks>
    public static async Task WriteAsync(
        HttpContext context, ReadOnlyMemory<byte> body, TimeSpan patience, TimeProvider time)
    {
        try
        {
            var output = context.Response.BodyWriter;
            while (!body.IsEmpty)
            {
                context.RequestAborted.ThrowIfCancellationRequested();
                var piece = body[..Math.Min(PieceSize, body.Length)];
                var write = output.WriteAsync(piece, context.RequestAborted);
                if (write.IsCompletedSuccessfully)
                {
                    _ = write.Result; // the rule: it is in the server's buffer
                }
                else
                {
                    await write.AsTask().WaitAsync(patience, time);
                }

                body = body[piece.Length..];
            }
        }
        catch (Exception exception)
        {
            Fail(context, exception, isReading: false);
        }
    }

    private static void Fail(HttpContext context, Exception exception, bool isReading)
    {
        var hasLeft = context.RequestAborted.IsCancellationRequested;
        context.Features.Set<IForwarderErrorFeature>(new BrokenDownload(
            hasLeft ? ForwarderError.ResponseBodyCanceled
                : isReading ? ForwarderError.ResponseBodyDestination : ForwarderError.ResponseBodyClient,
            exception));
        if (!context.Response.HasStarted)
        {
            context.Response.Clear(); // an error can still be answered; the record of one who has left says this
            context.Response.StatusCode = StatusCodes.Status502BadGateway;
        }
        else if (context.Features.Get<IHttpResetFeature>() is { } stream)
        {
            stream.Reset(hasLeft ? Cancel : InternalError);
        }
        else
        {
            context.Abort();
        }
    }

    private sealed record BrokenDownload(ForwarderError Error, Exception? Exception) : IForwarderErrorFeature;
}
