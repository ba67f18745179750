using System.Globalization;
using System.Text;

namespace Gateway.EndToEndTests.Support;

/// <summary>Start line and headers of a message exactly as received, one character a byte.</summary>
public sealed record HttpHead(string StartLine, IReadOnlyList<KeyValuePair<string, string>> Headers)
{
    /// <summary>The first value of a header, whatever the name's case.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var (key, value) in Headers)
            {
                if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
                {
                    return value;
                }
            }

            return null;
        }
    }
}

/// <summary>Reads HTTP/1.1 messages off a stream without judging, decoding or normalising anything.</summary>
/// <remarks>A client or server library between the test and the wire would hide what the test is about.</remarks>
public sealed class HttpMessageReader(Stream stream)
{
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <summary>The next start line and headers; <see langword="null"/> at the end of the stream.</summary>
    public async ValueTask<HttpHead?> ReadHeadAsync(CancellationToken cancellationToken = default)
    {
        var searched = 0;
        while (true)
        {
            var end = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                var head = Parse(_buffer.AsSpan(_start, searched + end));
                _start += searched + end + 4;
                return head;
            }

            searched = Math.Max(0, _end - _start - 3);
            if (!await FillAsync(cancellationToken))
            {
                return null;
            }
        }
    }

    /// <summary>The body that the headers announce: chunked, of a length, or up to the end of the stream.</summary>
    public async ValueTask<byte[]> ReadBodyAsync(
        HttpHead head, bool untilEnd = false, CancellationToken cancellationToken = default)
    {
        using var body = new MemoryStream();
        if (head["Transfer-Encoding"] is not null)
        {
            while (true)
            {
                var line = await ReadLineAsync(cancellationToken);
                var size = int.Parse(line.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                await CopyAsync(body, size, cancellationToken);
                if (size == 0)
                {
                    while ((await ReadLineAsync(cancellationToken)).Length > 0)
                    {
                        // trailers
                    }

                    return body.ToArray();
                }

                await ReadLineAsync(cancellationToken);
            }
        }

        if (head["Content-Length"] is { } length)
        {
            await CopyAsync(body, int.Parse(length, CultureInfo.InvariantCulture), cancellationToken);
        }
        else if (untilEnd)
        {
            do
            {
                body.Write(_buffer, _start, _end - _start);
                _start = _end;
            }
            while (await FillAsync(cancellationToken));
        }

        return body.ToArray();
    }

    private static HttpHead Parse(ReadOnlySpan<byte> bytes)
    {
        var lines = Encoding.Latin1.GetString(bytes).Split("\r\n");
        var headers = new KeyValuePair<string, string>[lines.Length - 1];
        for (var i = 0; i < headers.Length; i++)
        {
            var line = lines[i + 1];
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[i] = colon < 0 ? new(line, "") : new(line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
        }

        return new HttpHead(lines[0], headers);
    }

    private async ValueTask<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var length = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (length >= 0)
            {
                var line = Encoding.Latin1.GetString(_buffer, _start, length);
                _start += length + 2;
                return line;
            }

            if (!await FillAsync(cancellationToken))
            {
                throw new IOException("the stream ended inside a chunked body");
            }
        }
    }

    private async ValueTask CopyAsync(MemoryStream target, int length, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            if (_start == _end && !await FillAsync(cancellationToken))
            {
                throw new IOException("the stream ended inside a body");
            }

            var count = Math.Min(length, _end - _start);
            target.Write(_buffer, _start, count);
            _start += count;
            length -= count;
        }
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += read;
        return read > 0;
    }
}
