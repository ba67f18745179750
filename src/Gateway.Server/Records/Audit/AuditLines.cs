using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Gateway.Server.Records.Audit;

/// <summary>Turns entries into lines, and ties them together where a chain is kept. For one thread.</summary>
internal sealed class AuditLines(HashChain? chain) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(64 * 1024);
    private readonly Utf8JsonWriter _json = new(Stream.Null, AuditText.Json);

    /// <summary>The position of the chain after what was added.</summary>
    public ChainPosition Position { get; private set; } = ChainPosition.Start;

    /// <summary>The lines added since the last <see cref="Begin"/>.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.WrittenMemory;

    /// <summary>Begins a batch.</summary>
    /// <param name="position">The position of the chain.</param>
    public void Begin(ChainPosition position)
    {
        _buffer.ResetWrittenCount();
        Position = position;
    }

    /// <summary>Adds a line.</summary>
    /// <param name="entry">What it says.</param>
    /// <param name="isFirstOfFile">The first line of a file says what the file goes on from.</param>
    /// <param name="torn">The bytes of an unfinished line before it; 0 where there is none.</param>
    public void Add(AuditEntry entry, bool isFirstOfFile, int torn)
    {
        var start = _buffer.WrittenCount;
        _json.Reset(_buffer);
        entry.WriteTo(_json);
        if (torn > 0)
        {
            _json.WriteNumber("torn"u8, torn);
        }

        if (chain is not null)
        {
            if (isFirstOfFile)
            {
                _json.WriteString("chain"u8, chain.Algorithm);
                _json.WriteString("prev"u8, Position.Hash);
            }

            _json.WriteNumber("seq"u8, Position.Sequence + 1);
            _json.Flush();
            var hash = chain.Next(Position.Hash, _buffer.WrittenSpan[start..]);
            _json.WriteString("hash"u8, hash);
            Position = new ChainPosition(Position.Sequence + 1, hash);
        }

        _json.WriteEndObject();
        _json.Flush();
        _buffer.Write("\n"u8);
    }

    /// <summary>
    /// The position of a chain after its last line, or <see langword="null"/> where that is none of a chain.
    /// </summary>
    public static ChainPosition? PositionAfter(ReadOnlySpan<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(Encoding.UTF8.GetString(line));
            return document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("seq"u8, out var seq) && seq.TryGetInt64(out var number)
                && root.TryGetProperty("hash"u8, out var hash) && hash.GetString() is { } text && HashChain.IsHash(text)
                    ? new ChainPosition(number, text)
                    : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();
}
