using Microsoft.Win32.SafeHandles;

namespace Gateway.Server.Records.Audit;

/// <summary>Lines on standard output, each written whole.</summary>
/// <remarks>
/// Not by the console's stream: that takes a reader who has gone for one who reads, and nobody would know.
/// </remarks>
internal sealed class StdoutSink(SafeFileHandle? output = null) : IAuditSink
{
    private readonly SafeFileHandle _output = output ?? new(1, ownsHandle: false);
    private readonly AuditLines _lines = new(chain: null); // the log's lines are in between: nothing could be verified

    /// <inheritdoc/>
    public string Name => "stdout";

    /// <inheritdoc/>
    public bool HasRoom => true;

    /// <inheritdoc/>
    public void Write(IReadOnlyList<AuditEntry> entries, bool durable)
    {
        _lines.Begin(ChainPosition.Start);
        foreach (var entry in entries)
        {
            _lines.Add(entry, isFirstOfFile: false, torn: 0);
        }

        NativeFile.Write(_output, _lines.Bytes.Span);
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
