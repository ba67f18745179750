using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Proxying;

/// <summary>
/// What the gateway answers from memory against what an unmodified registry answers itself: whatever the client
/// accepts, by tag and by digest, the first time and after that.
/// </summary>
public sealed class ContentNegotiationTests : IAsyncLifetime
{
    private const string Repository = "team-a/app";
    private const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    private const string OciIndex = "application/vnd.oci.image.index.v1+json";
    private const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    private const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
    private const string Schema1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";

    private static readonly string[][] Accepts =
    [
        [],
        ["*/*"],
        ["application/json"],
        ["application/*"],
        ["text/html"],
        [OciManifest],
        [OciIndex],
        [DockerManifest],
        [DockerList],
        [Schema1],
        [OciManifest, OciIndex],
        [DockerManifest, DockerList],
        [$"{DockerManifest}, {DockerList}"],
        [$"{OciManifest};q=0.5, {DockerManifest};q=0.9"],
        [OciManifest.ToUpperInvariant()],
        [DockerManifest.ToUpperInvariant()],
        [OciManifest, OciIndex, DockerManifest, DockerList, Schema1, "*/*"],
    ];

    private readonly ConcurrentBag<string> _log = [];
    private readonly List<string> _references = [];
    private RegistryProcess _registry = null!;
    private GatewayProcess _gateway = null!;
    private HttpClient _direct = null!;
    private HttpClient _through = null!;

    private static HttpClient ConnectTo(Uri address) => new() { BaseAddress = address };

    public async Task InitializeAsync()
    {
        _registry = await RegistryProcess.StartAsync(new RegistrySettings
        {
            LogLevel = "info",
            OnLogLine = line => _log.Add(Encoding.UTF8.GetString(line)),
        });
        _gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = _registry.Address,
            MoreYaml = "contentCache: { enabled: true, maxAge: 1h }",
        });
        _direct = ConnectTo(_registry.Address);
        _through = _gateway.CreateClient("alice");
        var layer = await PushBlobAsync("layer"u8.ToArray());
        var config = await PushBlobAsync(Encoding.UTF8.GetBytes(
            $$$"""
            {"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["{{{layer}}}"]},
            "history":[{"created":"2026-01-01T00:00:00Z","created_by":"test"}]}
            """));
        var oci = await PushAsync("oci", OciManifest, ManifestOf(
            OciManifest, "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip",
            config, layer));
        await PushAsync("index", OciIndex, IndexOf(OciIndex, OciManifest, oci));
        var docker = await PushAsync("docker", DockerManifest, ManifestOf(
            DockerManifest, "application/vnd.docker.container.image.v1+json",
            "application/vnd.docker.image.rootfs.diff.tar.gzip", config, layer));
        await PushAsync("list", DockerList, IndexOf(DockerList, DockerManifest, docker));
    }

    public async Task DisposeAsync()
    {
        _direct.Dispose();
        _through.Dispose();
        await _gateway.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task Manifest_WhateverIsAccepted_IsAnsweredAsTheRegistryDoes()
    {
        foreach (var reference in _references)
        {
            foreach (var accept in Accepts)
            {
                var path = $"/v2/{Repository}/manifests/{reference}";
                var get = await ReadAsync(_direct, HttpMethod.Get, path, accept);
                var head = await ReadAsync(_direct, HttpMethod.Head, path, accept);
                (HttpMethod Method, string Expected)[] asked =
                [
                    (HttpMethod.Head, head), (HttpMethod.Get, get), (HttpMethod.Get, get), (HttpMethod.Head, head),
                ];
                foreach (var (method, expected) in asked)
                {
                    Assert.Equal(
                        $"{reference} {string.Join(" | ", accept)}\n{expected}",
                        $"{reference} {string.Join(" | ", accept)}\n"
                            + await ReadAsync(_through, method, path, accept));
                }
            }
        }

        using var client = new HttpClient { BaseAddress = _gateway.Management };
        var metrics = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Matches("gateway_content_requests_total\\{registry=\"main\",result=\"hit\"\\} [1-9][0-9]+", metrics);
        Assert.Matches("gateway_content_requests_total\\{registry=\"main\",result=\"checked\"\\} [1-9][0-9]+", metrics);
    }

    [Fact]
    public async Task Blob_AskedAgain_IsAnsweredAsTheRegistryDoes()
    {
        var path = $"/v2/{Repository}/blobs/{await PushBlobAsync(RandomNumberGenerator.GetBytes(20_000))}";
        var get = await ReadAsync(_direct, HttpMethod.Get, path, []);
        var head = await ReadAsync(_direct, HttpMethod.Head, path, []);
        HttpMethod[] methods = [HttpMethod.Head, HttpMethod.Get, HttpMethod.Get, HttpMethod.Head];
        foreach (var method in methods)
        {
            Assert.Equal(method == HttpMethod.Get ? get : head, await ReadAsync(_through, method, path, []));
        }

        await UntilAsync(() => CountOf(path) == 5); // both direct ones; each HEAD through it, and one GET
    }

    [Fact]
    public async Task ColdRequests_AThousandAtOnce_AreOneForTheRegistry()
    {
        await ReadAsync(_through, HttpMethod.Get, "/v2/", []); // the password is verified
        var path = $"/v2/{Repository}/manifests/{_references.First(static one => one.Contains(':'))}";
        var clients = Enumerable.Range(0, 10).Select(_ => _gateway.CreateClient("alice")).ToList();
        var answers = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => Task.Run(async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path)
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            request.Headers.TryAddWithoutValidation("Accept", OciManifest);
            using var answer = await clients[i % 10].SendAsync(request);
            return $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
        })));
        clients.ForEach(static client => client.Dispose());

        Assert.StartsWith("200", Assert.Single(answers.Distinct()), StringComparison.Ordinal);
        await UntilAsync(() => CountOf(path) > 0);
        await ReadAsync(_direct, HttpMethod.Get, "/v2/", []);
        Assert.Equal(1, CountOf(path));
    }

    [Fact]
    public async Task Manifest_DeletedThroughTheGateway_IsGone()
    {
        var path = $"/v2/{Repository}/manifests/{_references.First(static one => one.Contains(':'))}";
        Assert.StartsWith(
            "200", await ReadAsync(_through, HttpMethod.Get, path, [OciManifest]), StringComparison.Ordinal);
        using var admin = _gateway.CreateClient("admin");

        using var deleted = await admin.DeleteAsync(new Uri(path, UriKind.Relative));

        Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        Assert.StartsWith(
            "404", await ReadAsync(_through, HttpMethod.Get, path, [OciManifest]), StringComparison.Ordinal);
    }

    private int CountOf(string path) => _log.Count(line =>
        line.Contains("response completed", StringComparison.Ordinal)
        && line.Contains($"\"{path}\"", StringComparison.Ordinal));

    // The registry writes its log when it has answered.
    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private static async Task<string> ReadAsync(HttpClient client, HttpMethod method, string path, string[] accept)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await client.SendAsync(request);
        var text = new StringBuilder().Append((int)answer.StatusCode).Append('\n');
        string[] names = ["Content-Length", "Content-Type", "Docker-Content-Digest", "ETag"];
        var isSigned = answer.Content.Headers.ContentType?.MediaType == Schema1; // anew each time, with its time
        foreach (var name in isSigned ? names[1..] : names)
        {
            var values = answer.Headers.TryGetValues(name, out var found)
                || answer.Content.Headers.TryGetValues(name, out found) ? found : [];
            text.Append(name).Append(": ").AppendJoin(", ", values).Append('\n');
        }

        var body = Convert.ToHexString(await answer.Content.ReadAsByteArrayAsync());
        return text.Append(isSigned ? "" : body).ToString();
    }

    private static string ManifestOf(string type, string configType, string layerType, string config, string layer) =>
        $$$"""
        {"schemaVersion":2,"mediaType":"{{{type}}}","config":{"mediaType":"{{{configType}}}","size":1,
        "digest":"{{{config}}}"},"layers":[{"mediaType":"{{{layerType}}}","size":5,"digest":"{{{layer}}}"}]}
        """;

    private static string IndexOf(string type, string itemType, string item) =>
        $$$"""
        {"schemaVersion":2,"mediaType":"{{{type}}}","manifests":[{"mediaType":"{{{itemType}}}","size":1,
        "digest":"{{{item}}}","platform":{"architecture":"amd64","os":"linux"}}]}
        """;

    private static string DigestOf(byte[] body) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(body));

    private async Task<string> PushBlobAsync(byte[] body)
    {
        using var start = await _direct.PostAsync(new Uri($"/v2/{Repository}/blobs/uploads/", UriKind.Relative), null);
        using var put = await _direct.PutAsync(
            new Uri($"{start.Headers.Location}&digest={DigestOf(body)}"), new ByteArrayContent(body));
        put.EnsureSuccessStatusCode();
        return DigestOf(body);
    }

    private async Task<string> PushAsync(string tag, string type, string text)
    {
        var body = Encoding.UTF8.GetBytes(text);
        using var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var put = await _direct.PutAsync(
            new Uri($"/v2/{Repository}/manifests/{tag}", UriKind.Relative), content);
        Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync());
        _references.AddRange([tag, DigestOf(body)]);
        return DigestOf(body);
    }
}
