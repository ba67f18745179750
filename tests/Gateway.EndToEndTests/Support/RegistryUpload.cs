using System.Net;
using System.Net.Http.Headers;

namespace Gateway.EndToEndTests.Support;

/// <summary>Puts images into a registry without any client or gateway, and looks what is there.</summary>
internal static class RegistryUpload
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>Stores an image with all its blobs.</summary>
    public static async Task PushAsync(this RegistryProcess registry, TestImage image, string repository, string tag)
    {
        using var client = new HttpClient { BaseAddress = registry.Address };
        var blobs = Path.Combine(image.OciLayout, "blobs", "sha256");
        var manifest = image.ManifestDigest["sha256:".Length..];
        foreach (var blob in Directory.GetFiles(blobs).Where(file => Path.GetFileName(file) != manifest))
        {
            using var start = await client.PostAsync(
                new Uri($"/v2/{repository}/blobs/uploads/", UriKind.Relative), null);
            start.EnsureSuccessStatusCode();
            await PutAsync(
                client, new Uri($"{start.Headers.Location}&digest=sha256:{Path.GetFileName(blob)}"), blob,
                "application/octet-stream");
        }

        await PutAsync(
            client, new Uri($"/v2/{repository}/manifests/{tag}", UriKind.Relative), Path.Combine(blobs, manifest),
            ManifestType);
    }

    /// <summary>The digest that a tag points to; none where there is no such tag.</summary>
    public static async Task<string?> DigestOfAsync(this RegistryProcess registry, string repository, string tag)
    {
        using var client = new HttpClient { BaseAddress = registry.Address };
        client.DefaultRequestHeaders.Accept.ParseAdd(
            $"{ManifestType}, application/vnd.docker.distribution.manifest.v2+json");
        using var answer = await client.GetAsync(new Uri($"/v2/{repository}/manifests/{tag}", UriKind.Relative));
        return answer.StatusCode == HttpStatusCode.OK
            ? answer.Headers.GetValues("Docker-Content-Digest").Single()
            : null;
    }

    private static async Task PutAsync(HttpClient client, Uri address, string file, string mediaType)
    {
        await using var stream = File.OpenRead(file);
        using var content = new StreamContent(stream);
        content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        using var answer = await client.PutAsync(address, content);
        answer.EnsureSuccessStatusCode();
    }
}
