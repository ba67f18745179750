using System.Runtime.CompilerServices;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// A connection to an upstream on which an early answer is not lost. A registry that refuses an upload answers at once,
/// reads some 256 KiB more and hangs up. .NET's client sends a body to its end before it looks for an answer, and takes
/// the failed write for the end of all. Here a write that fails after the upstream has answered succeeds: the rest of
/// the body goes nowhere, and then the answer is read.
/// </summary>
/// <remarks>
/// So the client may send its whole body, as it does to a server that reads on, and loses the answer to no reset of its
/// own. A write that fails while no answer is there fails as ever.
/// </remarks>
/// <param name="inner">The connection as plain text, under TLS or not.</param>
internal sealed class UpstreamConnection(Stream inner) : DelegatingStream(inner)
{
    // A broken connection gives what has arrived, or its end, at once; this is for one that is not broken after all.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    // One reader at a time: the client itself may wait for an answer meanwhile, and TLS takes no second read.
    private readonly SemaphoreSlim _turn = new(1);
    private ReadOnlyMemory<byte> _kept;

    /// <summary>How many bytes of answers have arrived, "100 Continue" apart.</summary>
    public long Received { get; private set; }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_kept.Length > 0)
            {
                var count = Math.Min(_kept.Length, buffer.Length);
                _kept[..count].CopyTo(buffer);
                _kept = _kept[count..];
                return count;
            }

            var read = await Inner.ReadAsync(buffer, cancellationToken);
            Count(buffer.Span[..read]);
            return read;
        }
        finally
        {
            _turn.Release();
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        BodyExchange.Current is { } exchange
            ? WriteAsync(exchange, buffer, cancellationToken)
            : Inner.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) =>
        BodyExchange.Current is { IsOver: true } ? Task.CompletedTask : Inner.FlushAsync(cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask WriteAsync(
        BodyExchange exchange, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        if (exchange.IsOver)
        {
            return;
        }

        exchange.WritesTo(this);
        try
        {
            await Inner.WriteAsync(buffer, cancellationToken);
            exchange.HasWritten();
        }
        catch (IOException) when (exchange.HasBegun)
        {
            if (!await IsAnsweredAsync(exchange, cancellationToken))
            {
                throw;
            }

            exchange.End();
        }
    }

    private async Task<bool> IsAnsweredAsync(BodyExchange exchange, CancellationToken cancellationToken)
    {
        if (!await _turn.WaitAsync(Patience, cancellationToken))
        {
            return false;
        }

        try
        {
            if (exchange.IsAnswered)
            {
                return true;
            }

            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Patience);
            var buffer = new byte[4096];
            var read = await Inner.ReadAsync(buffer, limit.Token);
            _kept = buffer.AsMemory(0, read);
            Count(_kept.Span);
            return exchange.IsAnswered;
        }
        catch (Exception exception) when (exception is IOException
            or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Count(ReadOnlySpan<byte> read)
    {
        while (read.StartsWith("HTTP/1.1 1"u8) && read.IndexOf("\r\n\r\n"u8) is >= 0 and var end)
        {
            read = read[(end + 4)..];
        }

        Received += read.Length;
    }
}
