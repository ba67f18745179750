using System.Net;
using System.Text;
using Gateway.Server.Registry.Contents;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.Registry.Contents;

/// <summary>Answers of an upstream, or of something before it, that must not be kept.</summary>
public sealed class HostileContentTests : IAsyncLifetime
{
    private ContentUpstream _upstream = null!;

    public static TheoryData<string, string> SpoiledHeaders => new()
    {
        { "Content-Type", "text/html" },
        { "Content-Type", "application/json" },
        { "Content-Type", "application/vnd.oci.image.index.v1+json" }, // the body says another one
        { "Content-Type", "application/vnd.docker.distribution.manifest.v1+prettyjws" },
        { "Content-Encoding", "gzip" },
        { "Vary", "User-Agent" },
        { "Vary", "Accept, Authorization" },
        { "Vary", "*" },
        { "Cache-Control", "no-store" },
        { "Cache-Control", "no-cache" },
        { "Cache-Control", "private" },
        { "Cache-Control", "max-age=0" },
        { "Cache-Control", "max-age=59" },
        { "Cache-Control", "s-maxage=1" },
        { "Expires", "0" },
        { "Age", "10" },
        { "Warning", "299 - \"this tag is deprecated\"" },
        { "OCI-Tag", "v1" },
        { "Docker-Content-Digest", "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
    };

    public async Task InitializeAsync() => _upstream = await ContentUpstream.StartAsync();

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    [Theory]
    [MemberData(nameof(SpoiledHeaders))]
    public async Task Header_ThatDoesNotFitAKeptAnswer_IsPassedOnAndNotKept(string name, string value)
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one");
        _upstream.Spoil = response => response.Headers[name] = value;

        await CheckNotKeptAsync(gateway, path);
    }

    [Theory]
    [InlineData("Vary", "Accept")]
    [InlineData("Vary", "Accept-Encoding, Origin")]
    [InlineData("Cache-Control", "public, max-age=60")]
    [InlineData("Server", "nginx")] // is not passed on
    public async Task Header_ThatFits_IsKept(string name, string value)
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one");
        _upstream.Spoil = response => response.Headers[name] = value;

        await ContentCacheTests.ReadAsync(gateway, path, "bob");
        await ContentCacheTests.ReadAsync(gateway, path, "bob");

        Assert.Equal(1, _upstream.Count(path));
    }

    [Theory]
    [InlineData("manifests")]
    [InlineData("blobs")]
    public async Task Bytes_WithoutTheirDigest_AreAnswered502AndToldAndNotKept(string kind)
    {
        var log = new LogSink();
        await using var gateway = await _upstream.StartGatewayAsync(
            changeAll: static options => options.Log.Level = LogLevel.Warning,
            customize: builder => builder.Logging.AddProvider(log));
        var digest = ContentUpstream.DigestOf(ContentUpstream.ManifestOf("right"));
        var path = _upstream.Put(
            $"/v2/team-a/app/{kind}/{digest}", ContentUpstream.ManifestOf("wrong"),
            kind == "blobs" ? "application/octet-stream" : ContentUpstream.ManifestType, digest);

        var first = await ContentCacheTests.ReadAsync(gateway, path, "bob");
        var second = await ContentCacheTests.ReadAsync(gateway, path, "bob");

        Assert.StartsWith("502", first, StringComparison.Ordinal);
        Assert.Contains(
            "the registry behind the gateway gave an unusable answer: the content does not have the digest that was "
            + "asked for; its storage may be damaged", first, StringComparison.Ordinal);
        Assert.StartsWith("502", second, StringComparison.Ordinal);
        Assert.Equal(2, _upstream.Count(path));
        Assert.Single(log.Lines, static line => line.Contains("does not have its digest", StringComparison.Ordinal));
        Assert.Equal(0, gateway.Services.GetRequiredService<ContentStore>().Count);

        _upstream.Put(
            path, ContentUpstream.ManifestOf("right"),
            kind == "blobs" ? "application/octet-stream" : ContentUpstream.ManifestType, digest);
        Assert.StartsWith(
            "200", await ContentCacheTests.ReadAsync(gateway, path, "bob"), StringComparison.Ordinal); // whole again
    }

    [Fact]
    public async Task Bytes_OfATagWithoutTheirDigest_ArePassedOnAndNotKept()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.Put(
            "/v2/team-a/app/manifests/v1", ContentUpstream.ManifestOf("wrong"), ContentUpstream.ManifestType,
            ContentUpstream.DigestOf(ContentUpstream.ManifestOf("right")));

        await CheckNotKeptAsync(gateway, path);
    }

    [Fact]
    public async Task Bytes_ThatNameADigestOnlyByTag_AreNotServedByDigest()
    {
        // What a poisoned tag answer says its digest is, and what a client then asks for by digest, stay apart.
        await using var gateway = await _upstream.StartGatewayAsync();
        _upstream.PutManifest("team-a/app", "one", "v1");
        var digest = ContentUpstream.DigestOf(ContentUpstream.ManifestOf("one"));
        await ContentCacheTests.ReadAsync(gateway, "/v2/team-a/app/manifests/v1", "bob");
        _upstream.Remove($"/v2/team-a/app/manifests/{digest}");

        Assert.StartsWith(
            "404",
            await ContentCacheTests.ReadAsync(gateway, $"/v2/team-a/app/manifests/{digest}", "bob"),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("not json")]
    [InlineData("{\"schemaVersion\":1,\"config\":{},\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"manifests\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"mediaType\":\"text/plain\",\"config\":{},\"layers\":[]}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{},\"layers\":[]} {}")]
    [InlineData("{\"schemaVersion\":2,\"config\":{},\"layers\":[]")]
    [InlineData("{\"schemaVersion\":2,\"config\":{},\"config\":{}}")]
    public async Task Body_ThatIsNoManifestOfItsType_IsPassedOnAndNotKept(string text)
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var body = Encoding.UTF8.GetBytes(text);
        var digest = ContentUpstream.DigestOf(body);
        var path = _upstream.Put($"/v2/team-a/app/manifests/{digest}", body, ContentUpstream.ManifestType, digest);

        await CheckNotKeptAsync(gateway, path);
    }

    [Fact]
    public async Task Content_AskedByAnotherDigestThanItIsNamed_IsNotKept()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var body = ContentUpstream.ManifestOf("one");
        var asked = "sha512:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA512.HashData(body));
        var path = _upstream.Put(
            "/v2/team-a/app/manifests/" + asked, body, ContentUpstream.ManifestType, ContentUpstream.DigestOf(body));

        await CheckNotKeptAsync(gateway, path); // a deletion by its SHA-256 would not find it
    }

    [Fact]
    public async Task Body_WithoutALength_IsPassedOnAndNotKept()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutManifest("team-a/app", "one");
        _upstream.Spoil = static response => response.ContentLength = null;

        await CheckNotKeptAsync(gateway, path);
    }

    [Fact]
    public async Task Redirect_IsPassedOnAndNotKept()
    {
        await using var gateway = await _upstream.StartGatewayAsync();
        var path = _upstream.PutBlob("team-a/app", [1, 2, 3]);
        _upstream.Before = static context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = "https://cdn.example/x";
            return Task.CompletedTask;
        };

        var first = await ContentCacheTests.ReadAsync(gateway, path, "bob");
        var second = await ContentCacheTests.ReadAsync(gateway, path, "bob");

        Assert.StartsWith("307", first, StringComparison.Ordinal);
        Assert.Equal(first, second);
        Assert.Equal(2, _upstream.Count(path));
    }

    [Fact]
    public async Task Body_ThatBreaksOff_IsNeverTakenForWhole()
    {
        var body = ContentUpstream.ManifestOf("one");
        var digest = ContentUpstream.DigestOf(body);
        await using var raw = new RawUpstream(
            $"HTTP/1.1 200 OK\r\nContent-Type: {ContentUpstream.ManifestType}\r\nDocker-Content-Digest: {digest}\r\n"
            + $"Content-Length: {body.Length}\r\nConnection: close\r\n\r\n"
            + Encoding.UTF8.GetString(body[..^1]));
        await using var gateway = await TestGateway.StartAsync(
            raw.Address, change: static options => options.ContentCache = new ContentCacheOptions());

        var answer = await ContentCacheTests.ReadAsync(gateway, $"/v2/team-a/app/manifests/{digest}", "bob");

        Assert.StartsWith("502", answer, StringComparison.Ordinal);
        Assert.Contains("cannot be reached", answer, StringComparison.Ordinal);
        Assert.Equal(0, gateway.Services.GetRequiredService<ContentStore>().Count);
    }

    private async Task CheckNotKeptAsync(TestGateway gateway, string path)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var direct = await client.GetAsync(new Uri(_upstream.Address, path));
        var body = await direct.Content.ReadAsByteArrayAsync();
        for (var i = 2; i <= 3; i++)
        {
            using var answer = await gateway.SendAsync(HttpMethod.Get, path, "bob");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(body, await answer.Content.ReadAsByteArrayAsync());
            Assert.Equal(i, _upstream.Count(path));
        }

        Assert.Equal(0, gateway.Services.GetRequiredService<ContentStore>().Count);
    }
}
