using System.Security.Cryptography;

namespace Gateway.Backup;

/// <summary>Decrypts what <see cref="SealingStream"/> wrote; returns only authenticated bytes.</summary>
internal sealed class OpeningStream : Stream
{
    private readonly Stream _input;
    private readonly byte[] _header;
    private readonly AesGcm _cipher;
    private readonly byte[] _sealed = new byte[SealedFormat.ChunkLength + SealedFormat.TagLength + 1];
    private readonly byte[] _plain = new byte[SealedFormat.ChunkLength];
    private int _ahead;
    private int _offset;
    private int _length;
    private uint _number;
    private bool _isOver;

    /// <param name="input">The stream after the header; it stays open.</param>
    /// <param name="header">The header.</param>
    /// <param name="key">From <see cref="SealedFormat.DeriveKey"/>.</param>
    public OpeningStream(Stream input, byte[] header, byte[] key)
    {
        _input = input;
        _header = header;
        _cipher = new AesGcm(key, SealedFormat.TagLength);
    }

    /// <summary>Whether any chunk was decrypted, so that the passphrase is known to be right.</summary>
    public bool HasOpened => _number > 0;

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

    /// <exception cref="CryptographicException">A chunk is not authentic.</exception>
    public override int Read(Span<byte> buffer)
    {
        while (_offset == _length && !_isOver)
        {
            ReadChunk();
        }

        var count = Math.Min(buffer.Length, _length - _offset);
        _plain.AsSpan(_offset, count).CopyTo(buffer);
        _offset += count;
        return count;
    }

    public override void Flush()
    {
        // nothing is written
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            CryptographicOperations.ZeroMemory(_plain);
            _cipher.Dispose();
        }

        base.Dispose(disposing);
    }

    private void ReadChunk()
    {
        // One byte more than a chunk: if nothing follows, it must be the last.
        var length = _ahead
            + _input.ReadAtLeast(_sealed.AsSpan(_ahead), _sealed.Length - _ahead, throwOnEndOfStream: false);
        var isLast = length < _sealed.Length;
        var chunk = isLast ? length : length - 1;
        if (chunk < SealedFormat.TagLength)
        {
            throw new CryptographicException("The file ends within a chunk.");
        }

        Span<byte> nonce = stackalloc byte[SealedFormat.NonceLength];
        SealedFormat.WriteNonce(nonce, _header, _number, isLast);
        var text = chunk - SealedFormat.TagLength;
        _cipher.Decrypt(
            nonce, _sealed.AsSpan(0, text), _sealed.AsSpan(text, SealedFormat.TagLength), _plain.AsSpan(0, text),
            _header);
        (_offset, _length, _isOver) = (0, text, isLast);
        _number = checked(_number + 1);
        if (!isLast)
        {
            _sealed[0] = _sealed[length - 1];
            _ahead = 1;
        }
    }
}
