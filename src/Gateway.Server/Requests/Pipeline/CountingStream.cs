namespace Gateway.Server.Requests.Pipeline;

/// <summary>Passes everything through to Kestrel's stream and counts it.</summary>
internal sealed class CountingStream(Stream inner) : DelegatingStream(inner)
{
    /// <summary>How many bytes went through.</summary>
    public long Count { get; private set; }

    /// <inheritdoc/>
    public override void Flush() => Inner.Flush();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Counted(Inner.Read(buffer, offset, count));

    /// <inheritdoc/>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = Inner.ReadAsync(buffer, cancellationToken);
        return read.IsCompletedSuccessfully ? new ValueTask<int>(Counted(read.Result)) : AwaitAsync(read);
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count)
    {
        Inner.Write(buffer, offset, count);
        Count += count;
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Count += buffer.Length;
        return Inner.WriteAsync(buffer, cancellationToken);
    }

    private async ValueTask<int> AwaitAsync(ValueTask<int> read) => Counted(await read);

    private int Counted(int count)
    {
        Count += count;
        return count;
    }
}
