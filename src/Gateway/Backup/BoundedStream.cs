namespace Gateway.Backup;

/// <summary>Counts the bytes read, and refuses more than a limit: a small archive may unpack to any size.</summary>
internal sealed class BoundedStream(Stream input) : Stream
{
    private static readonly uint[] CrcTable = MakeCrcTable();

    private uint _crc = uint.MaxValue;

    /// <summary>
    /// The CRC-32 of the bytes read, to compare with that at the end of gzip (RFC 1952), which .NET does not check.
    /// </summary>
    public uint Crc => ~_crc;

    /// <summary>How many bytes were read.</summary>
    public long Count { get; private set; }

    /// <summary>How many may be read.</summary>
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
        foreach (var value in buffer[..count])
        {
            _crc = CrcTable[(byte)(_crc ^ value)] ^ (_crc >> 8);
        }

        return Count <= Limit ? count : throw new InvalidDataException("it unpacks to more than its manifest lists");
    }

    public override void Flush()
    {
        // nothing is written
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 1) == 0 ? value >> 1 : 0xEDB88320 ^ (value >> 1);
            }

            table[i] = value;
        }

        return table;
    }
}
