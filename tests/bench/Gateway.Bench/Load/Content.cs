using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Bench.Load;

/// <summary>What is in the registry: one image whose layers are the blobs that are measured.</summary>
internal sealed record Content
{
    /// <summary>The repository.</summary>
    public const string Repository = "bench/app";

    /// <summary>The media type of the image's manifest.</summary>
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>What docker and containerd accept when they ask for a manifest.</summary>
    public const string Accept = "application/vnd.docker.distribution.manifest.v2+json, "
        + "application/vnd.docker.distribution.manifest.list.v2+json, " + ManifestType + ", "
        + "application/vnd.oci.image.index.v1+json, */*";

    private const string LayerType = "application/vnd.oci.image.layer.v1.tar";
    private const string ConfigurationType = "application/vnd.oci.image.config.v1+json";

    /// <summary>The digest and size of the manifest.</summary>
    public required (string Digest, long Size) Manifest { get; init; }

    /// <summary>The blob of 4 KiB.</summary>
    public required (string Digest, long Size) Small { get; init; }

    /// <summary>The blob of 1 MiB.</summary>
    public required (string Digest, long Size) Medium { get; init; }

    /// <summary>The blob of <see cref="Sizes.LargeBlob"/>.</summary>
    public required (string Digest, long Size) Large { get; init; }

    /// <summary>Pushes the image to a registry that asks nobody.</summary>
    public static async Task<Content> PushAsync(Uri registry, Sizes sizes, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = registry, Timeout = TimeSpan.FromMinutes(5) };
        var layers = new List<(string Digest, long Size)>();
        foreach (var size in new[] { 4L << 10, 1L << 20, sizes.LargeBlob })
        {
            layers.Add(await PushBlobAsync(client, RandomNumberGenerator.GetBytes((int)size), cancellationToken));
        }

        var configuration = await PushBlobAsync(
            client, Encoding.UTF8.GetBytes("""{"architecture":"amd64","os":"linux"}"""), cancellationToken);
        var body = Encoding.UTF8.GetBytes($$"""
            {"schemaVersion":2,"mediaType":"{{ManifestType}}","config":{{Descriptor(ConfigurationType, configuration)}},
            "layers":[{{string.Join(',', layers.Select(static layer => Descriptor(LayerType, layer)))}}]}
            """);
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(ManifestType);
        using var answer = await client.PutAsync(
            new Uri($"/v2/{Repository}/manifests/latest", UriKind.Relative), content, cancellationToken);
        Expect(answer, HttpStatusCode.Created);
        return new Content
        {
            Manifest = (DigestOf(body), body.Length),
            Small = layers[0],
            Medium = layers[1],
            Large = layers[2],
        };
    }

    /// <summary>A body's digest.</summary>
    public static string DigestOf(ReadOnlySpan<byte> body) =>
        "sha256:" + Convert.ToHexStringLower(SHA256.HashData(body));

    /// <summary>Ends the run unless an answer has this status.</summary>
    public static void Expect(HttpResponseMessage answer, HttpStatusCode status)
    {
        if (answer.StatusCode != status)
        {
            throw new BenchException(
                $"{answer.RequestMessage?.Method} {answer.RequestMessage?.RequestUri} was answered "
                    + $"{(int)answer.StatusCode}, not {(int)status}.");
        }
    }

    private static async Task<(string Digest, long Size)> PushBlobAsync(
        HttpClient client, byte[] body, CancellationToken cancellationToken)
    {
        await Upload.MonolithicAsync(client, Repository, body, DigestOf(body), cancellationToken);
        return (DigestOf(body), body.Length);
    }

    private static string Descriptor(string type, (string Digest, long Size) blob) =>
        $$"""{"mediaType":"{{type}}","digest":"{{blob.Digest}}","size":{{blob.Size}}}""";
}
