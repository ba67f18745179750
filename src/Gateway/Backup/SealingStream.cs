using System.Security.Cryptography;

namespace Gateway.Backup;

/// <summary>
/// Encrypts what is written to it, in the form of <see cref="SealedFormat"/>. Dispose writes the last chunk.
/// </summary>
internal sealed class SealingStream : Stream
{
    private readonly Stream _output;
    private readonly byte[] _header;
    private readonly AesGcm _cipher;
    private readonly byte[] _plain = new byte[SealedFormat.ChunkLength];
    private readonly byte[] _sealed = new byte[SealedFormat.ChunkLength + SealedFormat.TagLength];
    private int _length;
    private uint _number;
    private bool _isDisposed;

    /// <param name="output">The destination; it stays open.</param>
    /// <param name="passphrase">The passphrase from which the key is derived.</param>
    public SealingStream(Stream output, string passphrase)
    {
        _output = output;
        _header = SealedFormat.CreateHeader();
        var key = SealedFormat.DeriveKey(passphrase, _header);
        _cipher = new AesGcm(key, SealedFormat.TagLength);
        CryptographicOperations.ZeroMemory(key);
        output.Write(_header);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (_length == SealedFormat.ChunkLength)
            {
                WriteChunk(isLast: false); // only now: more follows, so it was not the last
            }

            var count = Math.Min(buffer.Length, SealedFormat.ChunkLength - _length);
            buffer[..count].CopyTo(_plain.AsSpan(_length));
            _length += count;
            buffer = buffer[count..];
        }
    }

    public override void Flush()
    {
        // a chunk is written when it is full
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            _isDisposed = true;
            WriteChunk(isLast: true);
            CryptographicOperations.ZeroMemory(_plain);
            _cipher.Dispose();
        }

        base.Dispose(disposing);
    }

    private void WriteChunk(bool isLast)
    {
        Span<byte> nonce = stackalloc byte[SealedFormat.NonceLength];
        SealedFormat.WriteNonce(nonce, _header, _number, isLast);
        _cipher.Encrypt(
            nonce, _plain.AsSpan(0, _length), _sealed.AsSpan(0, _length),
            _sealed.AsSpan(_length, SealedFormat.TagLength), _header);
        _output.Write(_sealed, 0, _length + SealedFormat.TagLength);
        _number = checked(_number + 1);
        _length = 0;
    }
}
