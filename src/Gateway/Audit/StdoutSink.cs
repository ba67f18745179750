namespace Gateway.Audit;

/// <summary>Lines on standard output, each written whole.</summary>
internal sealed class StdoutSink : IAuditSink
{
    private readonly Stream _output = Console.OpenStandardOutput();
    private readonly AuditLines _lines = new(chain: null); // the log's lines stand between: nothing could be verified

    /// <inheritdoc/>
    public string Name => "stdout";

    /// <inheritdoc/>
    public void Write(IReadOnlyList<AuditEntry> entries, bool durable)
    {
        _lines.Begin(ChainPosition.Start);
        foreach (var entry in entries)
        {
            _lines.Add(entry, isFirstOfFile: false, torn: 0);
        }

        _output.Write(_lines.Bytes.Span);
        _output.Flush();
    }

    /// <inheritdoc/>
    public void Reopen()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _output.Dispose();
        _lines.Dispose();
    }
}
