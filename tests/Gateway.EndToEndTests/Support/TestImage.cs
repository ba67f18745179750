using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// An image of some layers made here, the last of random bytes, which no compression makes smaller: as an OCI
/// layout, and as the build context of the same files. Dispose removes it.
/// </summary>
internal sealed class TestImage : IDisposable
{
    /// <summary>The file of random bytes, in the image's root.</summary>
    public const string LargeFile = "large.bin";

    /// <summary>Over 100 MiB, in bytes.</summary>
    public const int LargeSize = 101 * 1024 * 1024;

    private const int BlockSize = 64 * 1024;
    private const string LayerType = "application/vnd.oci.image.layer.v1.tar+gzip";
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    private readonly string _folder;
    private readonly string[] _files; // one a layer

    private TestImage(string folder, int smallLayers)
    {
        _folder = folder;
        _files = [.. Enumerable.Range(1, smallLayers).Select(static number => $"{number}.txt"), LargeFile];
    }

    /// <summary>A build context: a <c>Dockerfile</c> from scratch with one layer a file.</summary>
    public string BuildContext => Path.Combine(_folder, "context");

    /// <summary>The same files as an OCI image layout with the tag <c>latest</c>.</summary>
    public string OciLayout => Path.Combine(_folder, "oci");

    /// <summary>The manifest's digest in the layout.</summary>
    public string ManifestDigest { get; private set; } = "";

    /// <summary>SHA-256 of <see cref="LargeFile"/>, hexadecimal.</summary>
    public string LargeFileHash { get; private set; } = "";

    /// <param name="size">Bytes of the large file.</param>
    /// <param name="smallLayers">How many other layers there are, of one short file each.</param>
    public static TestImage Create(int size, int smallLayers = 2)
    {
        // podman makes an image name of a layout's path, and refuses capitals in it.
        var folder = Path.Combine(Path.GetTempPath(), $"gateway-image-{Guid.NewGuid():n}");
        Directory.CreateDirectory(folder);
        var image = new TestImage(folder, smallLayers);
        image.WriteContext(size);
        image.WriteLayout();
        return image;
    }

    /// <summary>SHA-256 of a file, hexadecimal.</summary>
    public static string HashOf(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>The names, which are digests, and the true digests of all blobs in an OCI layout.</summary>
    public static IReadOnlyDictionary<string, string> BlobsOf(string layout) =>
        Directory.GetFiles(Path.Combine(layout, "blobs", "sha256")).ToDictionary(
            static file => Path.GetFileName(file), HashOf);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void WriteContext(int size)
    {
        Directory.CreateDirectory(BuildContext);
        // Unique content, so that nothing is found in the registry or in a client's cache from another run.
        foreach (var small in _files[..^1])
        {
            File.WriteAllText(Path.Combine(BuildContext, small), $"{small} {Guid.NewGuid()}\n");
        }

        var block = new byte[BlockSize];
        using (var file = File.Create(Path.Combine(BuildContext, LargeFile)))
        {
            for (var written = 0; written < size; written += block.Length)
            {
                RandomNumberGenerator.Fill(block);
                file.Write(block);
            }
        }

        LargeFileHash = HashOf(Path.Combine(BuildContext, LargeFile));
        // The large layer last: builders without layered storage copy everything below it for each layer.
        File.WriteAllLines(
            Path.Combine(BuildContext, "Dockerfile"),
            ["FROM scratch", .. _files.Select(static name => $"COPY {name} /"), "CMD [\"/none\"]"]);
    }

    private void WriteLayout()
    {
        var blobs = Path.Combine(OciLayout, "blobs", "sha256");
        Directory.CreateDirectory(blobs);
        var layers = new JsonArray();
        var diffs = new JsonArray();
        foreach (var name in _files)
        {
            var archive = Path.Combine(_folder, "layer.tar");
            using (var writer = new TarWriter(File.Create(archive)))
            {
                writer.WriteEntry(Path.Combine(BuildContext, name), name);
            }

            diffs.Add("sha256:" + HashOf(archive));
            var compressed = archive + ".gz";
            using (var from = File.OpenRead(archive))
            using (var to = new GZipStream(File.Create(compressed), CompressionLevel.Fastest))
            {
                from.CopyTo(to);
            }

            layers.Add(Descriptor(LayerType, compressed));
            File.Move(compressed, Path.Combine(blobs, HashOf(compressed)));
            File.Delete(archive);
        }

        var config = WriteBlob(ConfigType, new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray("/none") },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = diffs },
        });
        var manifest = WriteBlob(ManifestType, new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = config,
            ["layers"] = layers,
        });
        ManifestDigest = (string)manifest["digest"]!;
        manifest["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = "latest" };
        var index = new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray(manifest) };
        File.WriteAllText(Path.Combine(OciLayout, "index.json"), index.ToJsonString());
        File.WriteAllText(Path.Combine(OciLayout, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
    }

    private JsonObject WriteBlob(string mediaType, JsonObject content)
    {
        var file = Path.Combine(_folder, "blob.json");
        File.WriteAllBytes(file, Encoding.UTF8.GetBytes(content.ToJsonString()));
        var descriptor = Descriptor(mediaType, file);
        File.Move(file, Path.Combine(OciLayout, "blobs", "sha256", HashOf(file)));
        return descriptor;
    }

    private static JsonObject Descriptor(string mediaType, string file) => new()
    {
        ["mediaType"] = mediaType,
        ["digest"] = "sha256:" + HashOf(file),
        ["size"] = new FileInfo(file).Length,
    };
}
