using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Grammar;

/// <summary>The real registry of the differential test; its repositories differ in everything they hold.</summary>
/// <remarks>
/// It runs with the "silly" access controller, which asks every request without an Authorization header for exactly the
/// scopes that Distribution derived from it, mount source included, and lets all others act.
/// </remarks>
internal sealed class GrammarRegistry : IAsyncDisposable
{
    public const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";

    public static readonly string[] Repositories =
    [
        "a", "a/b", "pub", "pub/app", "secret", "team/app", "team/secret", "lib/base", "x/manifests", "manifests",
        "a/blobs/uploads", "blobs/uploads", "v2/tags/list", "b.c_d__e--f/0",
    ];

    private readonly Dictionary<(string Repository, string Reference), string> _manifests = [];
    private readonly HashSet<(string Repository, string Digest)> _blobs = [];
    private readonly List<StartedUpload> _uploads = [];

    private GrammarRegistry(RegistryProcess process, RegistryObserver observer)
    {
        Process = process;
        Observer = observer;
    }

    public RegistryProcess Process { get; }

    public RegistryObserver Observer { get; }

    public IReadOnlyList<StartedUpload> Uploads => _uploads;

    public IReadOnlyList<string> Digests => [.. _blobs.Select(blob => blob.Digest), .. _manifests.Values.Distinct()];

    public static async Task<GrammarRegistry> StartAsync()
    {
        var observer = new RegistryObserver();
        var process = await RegistryProcess.StartAsync(new RegistrySettings
        {
            DeleteEnabled = false, // what was seeded stays, whatever is asked
            RelativeUrls = true,
            LogLevel = "debug",
            AuthenticationYaml = "  silly:\n    realm: r\n    service: s\n",
            OnLogLine = observer.OnLogLine,
            ParentFolder = MemoryFolder(), // thousands of uploads are a minute's work for a disk
            Environment = new Dictionary<string, string> { ["GOGC"] = "800" }, // a third less CPU a request
        });
        var registry = new GrammarRegistry(process, observer);
        using var client = new HttpClient { BaseAddress = process.Address };
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "anything");
        foreach (var repository in Repositories)
        {
            await registry.SeedAsync(client, repository);
        }

        return registry;
    }

    /// <summary>The manifest's digest, where the repository was given that reference.</summary>
    public string? Manifest(string repository, string reference) =>
        _manifests.GetValueOrDefault((repository, reference));

    public bool HasBlob(string? repository, string? digest) => _blobs.Contains((repository ?? "", digest ?? ""));

    /// <summary>Notes a blob that a request mounted: further mounts may come from there.</summary>
    public void AddBlob(string repository, string? digest) => _blobs.Add((repository, digest ?? ""));

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private async Task SeedAsync(HttpClient client, string repository)
    {
        var config = await PushBlobAsync(client, repository, $"{{\"of\":\"{repository}\"}}");
        var layer = await PushBlobAsync(client, repository, $"layer of {repository}");
        foreach (var tag in new[] { "latest", "v1" })
        {
            const string Layers = "application/vnd.docker.image.rootfs.diff.tar.gzip";
            var manifest = $$"""
                {"schemaVersion":2,"mediaType":"{{ManifestType}}","tag":"{{tag}}",
                "config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":1,"digest":"{{config}}"},
                "layers":[{"mediaType":"{{Layers}}","size":1,"digest":"{{layer}}"}]}
                """;
            using var content = new StringContent(manifest);
            content.Headers.ContentType = new MediaTypeHeaderValue(ManifestType);
            using var answer = await client.PutAsync($"/v2/{repository}/manifests/{tag}", content);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            var digest = Digest(manifest);
            _manifests[(repository, tag)] = digest;
            _manifests[(repository, digest)] = digest;
        }

        for (var i = 0; i < 4; i++)
        {
            var location = await StartAsync(client, repository);
            var state = location[(location.IndexOf("_state=", StringComparison.Ordinal) + "_state=".Length)..];
            var path = location[..location.IndexOf('?', StringComparison.Ordinal)];
            _uploads.Add(new StartedUpload(
                repository, path[(path.LastIndexOf('/') + 1)..], location[path.Length..],
                Uri.UnescapeDataString(state)));
        }
    }

    private async Task<string> PushBlobAsync(HttpClient client, string repository, string text)
    {
        var digest = Digest(text);
        using var content = new StringContent(text);
        using var answer = await client.PutAsync(
            $"{await StartAsync(client, repository)}&digest={digest}", content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        _blobs.Add((repository, digest));
        return digest;
    }

    private static async Task<string> StartAsync(HttpClient client, string repository)
    {
        using var answer = await client.PostAsync($"/v2/{repository}/blobs/uploads/", content: null);
        return answer.Headers.Location!.OriginalString;
    }

    private static string? MemoryFolder()
    {
        const string Folder = "/dev/shm";
        return Directory.Exists(Folder) && new DriveInfo(Folder).AvailableFreeSpace > 1L << 30 ? Folder : null;
    }

    private static string Digest(string text) =>
        "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
