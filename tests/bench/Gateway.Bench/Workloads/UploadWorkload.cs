using System.Security.Cryptography;
using Gateway.Bench.Fronts;
using Gateway.Bench.Load;

namespace Gateway.Bench.Workloads;

/// <summary>Uploads of one blob, which the registry has afterwards as before.</summary>
internal sealed class UploadWorkload(Lab lab, bool isChunked) : IFrontWorkload
{
    private const string Repository = "bench/upload";

    private readonly byte[] _body = RandomNumberGenerator.GetBytes(lab.Sizes.Upload);

    /// <inheritdoc/>
    public string Key => isChunked ? "upload-chunked" : "upload-monolithic";

    /// <inheritdoc/>
    public string Title => $"upload of {_body.Length >> 20} MiB, " + (isChunked ? "16 chunks" : "in one piece");

    /// <inheritdoc/>
    public Table Table => Table.Transfers;

    /// <inheritdoc/>
    public bool AppliesTo(string front) => front is not (FrontSet.RegistryAuth or FrontSet.NginxUnbuffered);

    /// <inheritdoc/>
    public async Task<Measurement> RunAsync(Front front, CancellationToken cancellationToken)
    {
        using var client = lab.CreateClient(front.Address);
        client.DefaultRequestHeaders.Authorization =
            await front.AuthorizeAsync(client, $"repository:{Repository}:pull,push");
        var digest = Content.DigestOf(_body);
        return await Measurement.TakeAsync(front, async () =>
        {
            for (var i = 0; i < lab.Sizes.Uploads; i++)
            {
                await (isChunked
                    ? Upload.ChunkedAsync(client, Repository, _body, digest, cancellationToken)
                    : Upload.MonolithicAsync(client, Repository, _body, digest, cancellationToken));
            }

            return lab.Sizes.Uploads;
        });
    }
}
