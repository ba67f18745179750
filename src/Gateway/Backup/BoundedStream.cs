namespace Gateway.Backup;

/// <summary>Counts what is read, and refuses more than a bound: a small archive may unpack to anything.</summary>
internal sealed class BoundedStream(Stream input) : Stream
{
    /// <summary>How much was read.</summary>
    public long Count { get; private set; }

    /// <summary>How much may be.</summary>
    public long Limit { get; set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var count = input.Read(buffer);
        Count += count;
        return Count <= Limit ? count : throw new InvalidDataException("it unpacks to more than its manifest says");
    }

    public override void Flush()
    {
        // nothing is written
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
