using System.Net;
using System.Net.Http.Headers;

namespace Gateway.Bench.Load;

/// <summary>Uploads of a blob, as the distribution specification describes them.</summary>
internal static class Upload
{
    private const int Chunks = 16;

    /// <summary>POST, then PUT with all of the blob.</summary>
    public static async Task MonolithicAsync(
        HttpClient client, string repository, byte[] body, string digest, CancellationToken cancellationToken)
    {
        var location = await BeginAsync(client, repository, cancellationToken);
        await FinishAsync(client, location, body, digest, cancellationToken);
    }

    /// <summary>POST, sixteen times PATCH, then PUT without a body.</summary>
    public static async Task ChunkedAsync(
        HttpClient client, string repository, byte[] body, string digest, CancellationToken cancellationToken)
    {
        var location = await BeginAsync(client, repository, cancellationToken);
        var size = (body.Length + Chunks - 1) / Chunks;
        for (var start = 0; start < body.Length; start += size)
        {
            var length = Math.Min(size, body.Length - start);
            using var request = new HttpRequestMessage(HttpMethod.Patch, location)
            {
                Content = Bytes(body.AsMemory(start, length)),
            };
            request.Content.Headers.ContentRange = new ContentRangeHeaderValue(start, start + length - 1);
            using var answer = await client.SendAsync(request, cancellationToken);
            Content.Expect(answer, HttpStatusCode.Accepted);
            location = LocationOf(client, answer);
        }

        await FinishAsync(client, location, [], digest, cancellationToken);
    }

    private static async Task<Uri> BeginAsync(HttpClient client, string repository, CancellationToken cancellationToken)
    {
        using var answer = await client.PostAsync(
            new Uri($"/v2/{repository}/blobs/uploads/", UriKind.Relative), null, cancellationToken);
        Content.Expect(answer, HttpStatusCode.Accepted);
        return LocationOf(client, answer);
    }

    private static async Task FinishAsync(
        HttpClient client, Uri location, byte[] body, string digest, CancellationToken cancellationToken)
    {
        var separator = location.Query.Length > 0 ? '&' : '?';
        using var content = Bytes(body);
        using var answer = await client.PutAsync(
            new Uri($"{location}{separator}digest={digest}"), content, cancellationToken);
        Content.Expect(answer, HttpStatusCode.Created);
    }

    private static ReadOnlyMemoryContent Bytes(ReadOnlyMemory<byte> body) =>
        new(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };

    private static Uri LocationOf(HttpClient client, HttpResponseMessage answer) =>
        new(client.BaseAddress!, answer.Headers.Location!);
}
