using System.Buffers;
using System.Net;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Registry.Proxying;

/// <summary>An upstream's answer to a question of the gateway's own, under the deadline of that question.</summary>
internal sealed class UpstreamAnswer(HttpResponseMessage response, CancellationTokenSource deadline, ITimer timer)
    : IAsyncDisposable
{
    /// <summary>The status.</summary>
    public HttpStatusCode Status => response.StatusCode;

    /// <summary>The value of a header, or <see langword="null"/>.</summary>
    public string? Header(string name) =>
        response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values)
            ? values.FirstOrDefault()
            : null;

    /// <summary>Reads the whole body, which must be small.</summary>
    /// <param name="limit">The greatest size, in bytes.</param>
    /// <exception cref="UpstreamException">The body is larger, broken, or too slow.</exception>
    public async Task<ReadOnlyMemory<byte>> ReadBodyAsync(int limit)
    {
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(deadline.Token);
            var buffer = new ArrayBufferWriter<byte>(16 * 1024);
            while (true)
            {
                var read = await stream.ReadAsync(buffer.GetMemory(16 * 1024), deadline.Token);
                if (read == 0)
                {
                    return buffer.WrittenMemory;
                }

                buffer.Advance(read);
                if (buffer.WrittenCount > limit)
                {
                    throw new UpstreamException(UpstreamErrors.Nonsense("its answer is too large"));
                }
            }
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw new UpstreamException(UpstreamErrors.Unreachable, exception);
        }
        catch (OperationCanceledException exception)
        {
            throw new UpstreamException(UpstreamErrors.TimedOut, exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        response.Dispose();
        await timer.DisposeAsync();
        deadline.Dispose();
    }
}
