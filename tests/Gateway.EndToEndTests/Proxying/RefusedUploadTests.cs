using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Proxying;

/// <summary>Large uploads that a real registry, or the proxy before it, refuses before it has read them.</summary>
public sealed class RefusedUploadTests : IAsyncLifetime
{
    private static readonly byte[] Large = RandomNumberGenerator.GetBytes(30 * 1024 * 1024);

    private RegistryProcess _registry = null!;

    public async Task InitializeAsync() => _registry = await RegistryProcess.StartAsync();

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    // Not behind nginx 1.22, which loses a registry's early answer itself, now and then, and says 502; nor a chunked
    // body after "100 Continue" behind HAProxy 2.6, which then hangs up without the answer at times.
    [Theory]
    [InlineData(null)]
    [InlineData("haproxy")]
    public async Task Upload_RefusedEarly_GetsTheAnswer(string? proxy)
    {
        await using var front = proxy is null ? null : await FrontProxy.StartAsync(proxy, _registry.Address);
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewaySettings { Upstream = front?.Address ?? _registry.Address });
        using var client = gateway.CreateClient("alice");
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            foreach (var (method, isChunked, expects) in new[]
            {
                ("PATCH", false, false), ("PATCH", true, false), ("PATCH", false, true),
                ("PUT", false, false), ("PUT", true, proxy is null),
            })
            {
                var location = await StartAsync(client, version);
                Forget(location);
                using var refused = await SendAsync(client, version, method, location, Large, isChunked, expects);
                var body = await refused.Content.ReadAsStringAsync();

                Assert.True(
                    refused.StatusCode == HttpStatusCode.NotFound,
                    $"{version} {method} {isChunked} {expects}: {(int)refused.StatusCode} {body}");
                using var error = JsonDocument.Parse(body);
                Assert.Equal(
                    "BLOB_UPLOAD_UNKNOWN", error.RootElement.GetProperty("errors")[0].GetProperty("code").GetString());
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("nginx")]
    [InlineData("nginx-streaming")]
    [InlineData("haproxy")]
    public async Task Upload_ThatIsGood_IsStored(string? proxy)
    {
        await using var front = proxy is null ? null : await FrontProxy.StartAsync(proxy, _registry.Address);
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewaySettings { Upstream = front?.Address ?? _registry.Address });
        using var client = gateway.CreateClient("alice");
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            foreach (var isChunked in new[] { false, true })
            {
                using var stored = await SendAsync(
                    client, version, "PATCH", await StartAsync(client, version), Large, isChunked, expects: false);
                Assert.Equal(HttpStatusCode.Accepted, stored.StatusCode);
                using var completed = await SendAsync(
                    client, version, "PUT", stored.Headers.Location!, [], isChunked: false, expects: false);
                Assert.Equal(HttpStatusCode.Created, completed.StatusCode);
                Assert.Equal(Large, await client.GetByteArrayAsync(completed.Headers.Location!));
            }
        }
    }

    [Theory]
    [InlineData("nginx")]
    [InlineData("nginx-streaming")]
    [InlineData("haproxy")]
    public async Task Upload_LargerThanTheProxyAllows_IsToldSo(string proxy)
    {
        await using var front = await FrontProxy.StartAsync(proxy, _registry.Address);
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings { Upstream = front.Address });
        using var client = gateway.CreateClient("alice");
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            foreach (var method in new[] { "PATCH", "PUT" })
            {
                var tooLarge = new byte[FrontProxy.LargestBody + 1];
                using var refused = await SendAsync(
                    client, version, method, await StartAsync(client, version), tooLarge, isChunked: false,
                    expects: false);

                Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
                Assert.Contains("413", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }
        }
    }

    // As if the registry had purged the upload; its id is in the path.
    private void Forget(Uri location) => Directory.Delete(
        Path.Combine(_registry.RepositoriesFolder, "team-a", "app", "_uploads", location.AbsolutePath.Split('/')[^1]),
        recursive: true);

    private static async Task<Uri> StartAsync(HttpClient client, Version version)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri("/v2/team-a/app/blobs/uploads/", UriKind.Relative));
        request.Version = version;
        using var started = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        return started.Headers.Location!;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client, Version version, string method, Uri location, byte[] body, bool isChunked, bool expects)
    {
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Large));
        using var request = new HttpRequestMessage(
            new HttpMethod(method), method == "PUT" ? new Uri($"{location}&digest={digest}") : location)
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = isChunked ? new StreamContent(new UnknownLength(body)) : new ByteArrayContent(body),
        };
        request.Headers.TransferEncodingChunked = isChunked && version == HttpVersion.Version11 ? true : null;
        request.Headers.ExpectContinue = expects ? true : null;
        return await client.SendAsync(request);
    }

    /// <summary>Bytes whose end only reading finds.</summary>
    private sealed class UnknownLength(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }
}
