using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server.Records.Audit;

/// <summary>The answer's body, counted on its way out.</summary>
/// <param name="inner">The server's own.</param>
/// <param name="stream">Counts what is written to the server's stream.</param>
internal sealed class CountingResponseBody(IHttpResponseBodyFeature inner, CountingStream stream)
    : IHttpResponseBodyFeature
{
    private PipeWriter? _writer;

    /// <inheritdoc/>
    public Stream Stream => stream;

    /// <inheritdoc/>
    public PipeWriter Writer => _writer ??= PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));

    /// <inheritdoc/>
    public void DisableBuffering() => inner.DisableBuffering();

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken = default) => inner.StartAsync(cancellationToken);

    /// <inheritdoc/>
    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("the gateway sends no files");

    /// <inheritdoc/>
    public async Task CompleteAsync()
    {
        if (_writer is not null)
        {
            await _writer.FlushAsync();
        }

        await inner.CompleteAsync();
    }
}
