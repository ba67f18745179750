using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server.Requests.Pipeline;

/// <summary>
/// Counts the bytes of a request's two bodies, also of one that breaks off: no header says that. Once, for all who
/// want to know.
/// </summary>
internal sealed class CountedBodies : IHttpResponseBodyFeature
{
    private readonly IHttpResponseBodyFeature _response;
    private readonly CountingStream? _received;
    private CountingStream? _stream;
    private CountingPipeWriter? _writer;

    private CountedBodies(IHttpResponseBodyFeature response, CountingStream? received)
    {
        (_response, _received) = (response, received);
    }

    /// <summary>How many bytes of the request's body were read.</summary>
    public long Received => _received?.Count ?? 0;

    /// <summary>How many bytes of the answer's body were written.</summary>
    public long Sent => (_stream?.Count ?? 0) + (_writer?.Count ?? 0);

    /// <inheritdoc/>
    public Stream Stream => _stream ??= new CountingStream(_response.Stream);

    /// <inheritdoc/>
    public PipeWriter Writer => _writer ??= new CountingPipeWriter(_response.Writer);

    /// <summary>From here on, the bodies of a request are counted.</summary>
    public static CountedBodies Begin(HttpContext context)
    {
        var features = context.Features;
        CountingStream? received = null;
        if (features.Get<IHttpRequestBodyDetectionFeature>() is not { CanHaveBody: false })
        {
            context.Request.Body = received = new CountingStream(context.Request.Body);
        }

        var bodies = new CountedBodies(features.GetRequiredFeature<IHttpResponseBodyFeature>(), received);
        features.Set<IHttpResponseBodyFeature>(bodies);
        return bodies;
    }

    /// <inheritdoc/>
    public void DisableBuffering() => _response.DisableBuffering();

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken = default) => _response.StartAsync(cancellationToken);

    /// <inheritdoc/>
    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("the gateway sends no files");

    /// <inheritdoc/>
    public Task CompleteAsync() => _response.CompleteAsync();
}
