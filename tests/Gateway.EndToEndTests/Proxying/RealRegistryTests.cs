using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Proxying;

/// <summary>The distribution API through the gateway, request by request, against an unmodified registry.</summary>
public sealed class RealRegistryTests : IAsyncLifetime
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const string Policy = """
        groups: { team-a: [alice] }
        rules:
          - { name: admin, to: [ user:admin ], role: owner, on: [ "**" ] }
          - { name: team-a, to: [ group:team-a ], role: owner, on: [ "team-a/**" ] }
          - { name: bob, to: [ user:bob ], role: reader, on: [ "team-a/app" ] }
          - name: release tags are immutable
            deny: [ overwrite, delete ]
            on: [ "**" ]
            tags: [ "v*" ]
            unless: [ user:admin ]
        """;

    private RegistryProcess _registry = null!;
    private GatewayProcess _gateway = null!;
    private HttpClient _alice = null!;
    private HttpClient _bob = null!;
    private HttpClient _admin = null!;

    public async Task InitializeAsync()
    {
        _registry = await RegistryProcess.StartAsync();
        _gateway = await GatewayProcess.StartAsync(
            new GatewaySettings { Upstream = _registry.Address, Policy = Policy });
        (_alice, _bob, _admin) =
            (_gateway.CreateClient("alice"), _gateway.CreateClient("bob"), _gateway.CreateClient("admin"));
    }

    public async Task DisposeAsync()
    {
        _alice.Dispose();
        _bob.Dispose();
        _admin.Dispose();
        await _gateway.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task Blob_PushedInChunks_IsReadBackWholeAndInParts()
    {
        var content = RandomNumberGenerator.GetBytes(3 * 1024 * 1024);
        var location = await StartUploadAsync(_alice, "team-a/app");
        Assert.StartsWith(
            $"{_gateway.PublicUrl}v2/team-a/app/blobs/uploads/", location.ToString(), StringComparison.Ordinal);
        foreach (var chunk in content.Chunk(1024 * 1024))
        {
            using var patched = await _alice.PatchAsync(location, new ByteArrayContent(chunk));
            Assert.Equal(HttpStatusCode.Accepted, patched.StatusCode);
            location = patched.Headers.Location!;
        }

        using var status = await _alice.GetAsync(location);
        Assert.Equal(HttpStatusCode.NoContent, status.StatusCode);
        Assert.Equal("0-3145727", status.Headers.GetValues("Range").Single());
        var digest = DigestOf(content);
        using var completed = await _alice.PutAsync(new Uri($"{location}&digest={digest}"), null);
        Assert.Equal(HttpStatusCode.Created, completed.StatusCode);
        Assert.Equal($"{_gateway.PublicUrl}v2/team-a/app/blobs/{digest}", completed.Headers.Location!.ToString());

        Assert.Equal(content, await _bob.GetByteArrayAsync(Blob("team-a/app", digest)));
        using var part = new HttpRequestMessage(HttpMethod.Get, Blob("team-a/app", digest));
        part.Headers.Range = new RangeHeaderValue(1000, 1999);
        using var partial = await _bob.SendAsync(part);
        Assert.Equal(HttpStatusCode.PartialContent, partial.StatusCode);
        Assert.Equal(content[1000..2000], await partial.Content.ReadAsByteArrayAsync());
        using var head = await _bob.SendAsync(new HttpRequestMessage(HttpMethod.Head, Blob("team-a/app", digest)));
        Assert.Equal(content.Length, head.Content.Headers.ContentLength);
        using var known = new HttpRequestMessage(HttpMethod.Get, Blob("team-a/app", digest));
        known.Headers.IfNoneMatch.Add(new EntityTagHeaderValue($"\"{digest}\""));
        using var unchanged = await _bob.SendAsync(known);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Blob_ReadInParts_AnswersEveryRangeWhole(string version)
    {
        var content = RandomNumberGenerator.GetBytes(137);
        var digest = await PushBlobAsync(_alice, "team-a/app", content);
        string[][] asked =
        [
            ["GET", "416", "Range: bytes=500-600"],
            ["GET", "416", "Range: bytes=137-"],
            ["GET", "416", "Range: bytes=x-y"],
            ["GET", "412", "If-Match: \"other\""],
            ["HEAD", "416", "Range: bytes=500-600"],
            ["HEAD", "412", "If-Match: \"other\""],
            ["GET", "206", "Range: bytes=10-19"],
            ["GET", "206", "Range: bytes=130-600"],
            ["GET", "206", "Range: bytes=-5"],
            ["HEAD", "206", "Range: bytes=-5"],
            ["GET", "200", "Range: bytes=10-19", "If-Range: \"other\""],
            ["GET", "206", "Range: bytes=10-19", $"If-Range: \"{digest}\""],
            ["GET", "200", $"If-Match: \"{digest}\""],
        ];
        foreach (var one in asked)
        {
            using var request = new HttpRequestMessage(new HttpMethod(one[0]), Blob("team-a/app", digest))
            {
                Version = Version.Parse(version),
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            foreach (var header in one[2..])
            {
                var colon = header.IndexOf(':', StringComparison.Ordinal);
                request.Headers.TryAddWithoutValidation(header[..colon], header[(colon + 2)..]);
            }

            using var answer = await _bob.SendAsync(request);
            var body = await answer.Content.ReadAsByteArrayAsync();

            Assert.Equal(string.Join(", ", one), $"{one[0]}, {(int)answer.StatusCode}, {string.Join(", ", one[2..])}");
            var whole = answer.StatusCode switch
            {
                HttpStatusCode.PartialContent => Part(content, one[2]),
                HttpStatusCode.OK => content,
                _ => body,
            };
            Assert.Equal(one[0] == "HEAD" ? [] : whole, body);
            Assert.True(one[0] == "HEAD" || answer.Content.Headers.ContentLength == body.Length);
            Assert.Equal(
                one[2] is "Range: bytes=500-600" or "Range: bytes=137-",
                answer.Content.Headers.ContentRange is { HasRange: false, Length: 137 });
            if (answer.StatusCode > HttpStatusCode.PartialContent && one[0] == "GET")
            {
                using var error = JsonDocument.Parse(body);
                Assert.Equal(1, error.RootElement.GetProperty("errors").GetArrayLength());
            }
        }
    }

    private static byte[] Part(byte[] content, string range) => range switch
    {
        "Range: bytes=10-19" => content[10..20],
        "Range: bytes=130-600" => content[130..],
        "Range: bytes=-5" => content[^5..],
        _ => throw new ArgumentOutOfRangeException(nameof(range), range, "not among the ranges asked for"),
    };

    [Fact]
    public async Task Upload_OverALineThatHardlyMoves_IsNotCut()
    {
        var location = await StartUploadAsync(_alice, "team-a/app");

        // Kestrel's default cuts bodies below 240 bytes a second after five seconds.
        using var patched = await _alice.PatchAsync(location, new TricklingContent());

        Assert.Equal(HttpStatusCode.Accepted, patched.StatusCode);
        Assert.Equal("0-9", patched.Headers.GetValues("Range").Single());
    }

    [Fact]
    public async Task Upload_Cancelled_IsGone()
    {
        var location = await StartUploadAsync(_alice, "team-a/app");

        using var refused = await _bob.DeleteAsync(location);
        using var cancelled = await _alice.DeleteAsync(location);
        using var gone = await _alice.GetAsync(location);

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task Mount_OfABlob_NeedsPullOnItsSource()
    {
        var blob = Encoding.UTF8.GetBytes("a layer of team-b");
        var digest = await PushBlobAsync(_admin, "team-b/base", blob);
        var shared = await PushBlobAsync(_alice, "team-a/base", Encoding.UTF8.GetBytes("a layer of team-a"));

        using var refused = await _alice.PostAsync(Start("team-a/app", $"?mount={digest}&from=team-b/base"), null);
        using var mounted = await _alice.PostAsync(Start("team-a/app", $"?mount={shared}&from=team-a/base"), null);
        using var form = await _alice.PostAsync(Start("team-a/app"), new FormUrlEncodedContent(
            new Dictionary<string, string> { ["mount"] = digest, ["from"] = "team-b/base" }));

        Assert.Equal(HttpStatusCode.Accepted, refused.StatusCode);
        Assert.Equal(HttpStatusCode.Created, mounted.StatusCode);
        Assert.Equal($"{_gateway.PublicUrl}v2/team-a/app/blobs/{shared}", mounted.Headers.Location!.ToString());
        Assert.Equal(HttpStatusCode.Accepted, form.StatusCode);
        using var stolen = await _alice.GetAsync(Blob("team-a/app", digest));
        Assert.Equal(HttpStatusCode.NotFound, stolen.StatusCode);
    }

    [Fact]
    public async Task ReleaseTag_OfARealRegistry_CanBeSetOnceAndNeitherMovedNorDeleted()
    {
        var first = await PushImageAsync(_alice, "team-a/app", "v1", "first");
        var second = await PushImageAsync(_alice, "team-a/app", "latest", "second");

        using var moved = await PutManifestAsync(_alice, "team-a/app", "v1", await ManifestAsync("latest"));
        using var protectedDigest = await _alice.DeleteAsync(Manifest("team-a/app", first));
        using var otherDigest = await _alice.DeleteAsync(Manifest("team-a/app", second));
        var still = await ManifestAsync("v1");
        using var byAdmin = await _admin.DeleteAsync(Manifest("team-a/app", first));

        Assert.Equal(HttpStatusCode.Forbidden, moved.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, protectedDigest.StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, otherDigest.StatusCode);
        Assert.Equal(first, DigestOf(still));
        Assert.Equal(HttpStatusCode.Accepted, byAdmin.StatusCode);
    }

    [Fact]
    public async Task Catalog_AndTags_ShowToEachWhatHeMayPull()
    {
        await PushImageAsync(_alice, "team-a/app", "one", "x");
        await PushImageAsync(_alice, "team-a/other", "one", "x");
        await PushImageAsync(_admin, "secret/app", "one", "x");

        Assert.Equal("""{"repositories":["team-a/app"]}""", await _bob.GetStringAsync(Path("/v2/_catalog")));
        Assert.Equal(
            """{"repositories":["team-a/app","team-a/other"]}""", await _alice.GetStringAsync(Path("/v2/_catalog")));
        Assert.Equal(
            """{"repositories":["secret/app","team-a/app","team-a/other"]}""",
            await _admin.GetStringAsync(Path("/v2/_catalog")));
        Assert.Contains(
            "\"tags\":[\"one\"]", await _bob.GetStringAsync(Path("/v2/team-a/app/tags/list")),
            StringComparison.Ordinal);
        using var hidden = await _bob.GetAsync(Path("/v2/secret/app/tags/list"));
        using var missing = await _bob.GetAsync(Path("/v2/secret/nothing/tags/list"));
        Assert.Equal(HttpStatusCode.Forbidden, hidden.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, missing.StatusCode); // what exists and what does not look the same
    }

    [Fact]
    public async Task Referrers_WhichThisRegistryLacks_AreItsOwn404()
    {
        var digest = await PushImageAsync(_alice, "team-a/app", "one", "x");

        using var answer = await _alice.GetAsync(Path($"/v2/team-a/app/referrers/{digest}"));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        // oras takes NAME_UNKNOWN here for a missing repository and gives up, instead of using the fallback tag.
        Assert.DoesNotContain("NAME_UNKNOWN", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static Uri Path(string path) => new(path, UriKind.Relative);

    private static Uri Blob(string repository, string digest) => Path($"/v2/{repository}/blobs/{digest}");

    private static Uri Manifest(string repository, string reference) => Path($"/v2/{repository}/manifests/{reference}");

    private static Uri Start(string repository, string query = "") => Path($"/v2/{repository}/blobs/uploads/{query}");

    private static string DigestOf(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    private static async Task<Uri> StartUploadAsync(HttpClient client, string repository)
    {
        using var started = await client.PostAsync(Start(repository), null);
        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        return started.Headers.Location!;
    }

    private static async Task<string> PushBlobAsync(HttpClient client, string repository, byte[] content)
    {
        var location = await StartUploadAsync(client, repository);
        var digest = DigestOf(content);
        using var completed = await client.PutAsync(
            new Uri($"{location}&digest={digest}"), new ByteArrayContent(content));
        Assert.Equal(HttpStatusCode.Created, completed.StatusCode);
        return digest;
    }

    private static async Task<string> PushImageAsync(HttpClient client, string repository, string tag, string text)
    {
        var config = Encoding.UTF8.GetBytes(
            JsonSerializer.Serialize(new { architecture = "amd64", os = "linux", comment = text }));
        var digest = await PushBlobAsync(client, repository, config);
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = ManifestType,
            config = new { mediaType = "application/vnd.oci.image.config.v1+json", digest, size = config.Length },
            layers = Array.Empty<object>(),
        });
        using var put = await PutManifestAsync(client, repository, tag, manifest);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
        return put.Headers.GetValues("Docker-Content-Digest").Single();
    }

    private static Task<HttpResponseMessage> PutManifestAsync(
        HttpClient client, string repository, string reference, byte[] manifest)
    {
        var content = new ByteArrayContent(manifest);
        content.Headers.ContentType = new MediaTypeHeaderValue(ManifestType);
        return client.PutAsync(Manifest(repository, reference), content);
    }

    private async Task<byte[]> ManifestAsync(string reference)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Manifest("team-a/app", reference));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(ManifestType));
        using var answer = await _alice.SendAsync(request);
        return await answer.Content.ReadAsByteArrayAsync();
    }

    private sealed class TricklingContent : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var i = 0; i < 10; i++)
            {
                await stream.WriteAsync(new byte[1]);
                await stream.FlushAsync();
                await Task.Delay(TimeSpan.FromSeconds(1));
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
