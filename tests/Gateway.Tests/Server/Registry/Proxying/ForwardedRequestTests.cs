using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests.Server.Registry.Proxying;

/// <summary>What an upstream gets to see of a client's request.</summary>
public sealed class ForwardedRequestTests : IAsyncLifetime
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _gateway = await TestGateway.StartAsync(_upstream.Address);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Forwarded_RequestWithCredentialsAndForwardingHeaders_CarriesNoneOfThem()
    {
        (string, string)[] hostile =
        [
            ("Cookie", "session=secret"), ("Forwarded", "host=evil.example;proto=http"),
            ("X-Forwarded-For", "10.6.6.6"),
            ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "http"), ("X-Real-Ip", "10.6.6.6"),
            ("X_Forwarded_Host", "evil.example"), ("X-Forwarded-User", "admin"), ("Proxy-Authorization", "Basic eA=="),
            ("X-Anything", "else"), ("Connection", "keep-alive, X-Forwarded-For"), ("TE", "trailers"), ("Via", "1.1 x"),
        ];

        using var answer = await _gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/manifests/1", "alice", null, hostile);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var seen = Assert.Single(_upstream.Requests).Headers;
        Assert.Equal(
            ["host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id"],
            seen.Keys.Select(static name => name.ToLowerInvariant())
                .Where(static name => name != "traceparent")
                .Order());
        Assert.Equal("127.0.0.1", seen["X-Forwarded-For"]);
        Assert.Equal("registry.test", seen["X-Forwarded-Host"]);
        Assert.Equal("https", seen["X-Forwarded-Proto"]);
        Assert.Equal(answer.Headers.GetValues("X-Request-Id").Single(), seen["X-Request-Id"]);
    }

    [Fact]
    public async Task Forwarded_HeadersThatTheRegistryNeeds_ArriveUnchanged()
    {
        (string, string)[] needed =
        [
            ("Accept", "application/vnd.oci.image.manifest.v1+json"), ("Accept-Encoding", "zstd, gzip"),
            ("Range", "bytes=0-9"), ("If-None-Match", "\"x\""), ("If-Range", "\"y\""), ("User-Agent", "docker/28"),
        ];

        using var answer = await _gateway.SendAsync(
            HttpMethod.Get, $"/v2/team-a/app/blobs/{Digest}", "bob", null, needed);

        var seen = Assert.Single(_upstream.Requests).Headers;
        Assert.All(needed, header => Assert.Equal(header.Item2, seen[header.Item1]));
    }

    [Fact]
    public async Task Forwarded_Trace_GoesOnUpstream()
    {
        const string Trace = "0af7651916cd43dd8448eb211c80319c";

        using var answer = await _gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/tags/list", "bob", null,
            ("traceparent", $"00-{Trace}-b7ad6b7169203331-01"));

        Assert.Contains(Trace, Assert.Single(_upstream.Requests).Headers["traceparent"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/v2/team-a/app/manifests/v1")]
    [InlineData("HEAD", "/v2/team-a/app/manifests/v1")]
    [InlineData("GET", "/v2/team-a/app/blobs/" + Digest)]
    [InlineData("HEAD", "/v2/team-a/app/blobs/" + Digest)]
    [InlineData("GET", "/v2/team-a/app/tags/list?last=b&n=5")]
    [InlineData("GET", "/v2/team-a/app/referrers/" + Digest)]
    [InlineData("POST", "/v2/team-a/app/blobs/uploads/")]
    public async Task Forwarded_AllowedRequest_ArrivesAsItWasDecided(string method, string target)
    {
        using var answer = await _gateway.SendAsync(new HttpMethod(method), target, "alice");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var seen = Assert.Single(_upstream.Requests);
        Assert.Equal(method, seen.Method);
        Assert.Equal(Uri.UnescapeDataString(target), Uri.UnescapeDataString(seen.Target));
    }

    [Fact]
    public async Task Forwarded_UnknownParameters_AreDropped()
    {
        using var answer = await _gateway.SendAsync(
            HttpMethod.Put, "/v2/team-a/app/manifests/v1?tag=latest&ns=docker.io", "alice", new ByteArrayContent([1]));

        Assert.Equal("/v2/team-a/app/manifests/v1", Assert.Single(_upstream.Requests).Target);
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded", "mount=" + Digest + "&from=secret/app")]
    [InlineData("APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8", "mount=" + Digest + "&from=secret/app")]
    [InlineData(
        "multipart/form-data; boundary=x",
        "--x\r\nContent-Disposition: form-data; name=\"from\"\r\n\r\nsecret/app\r\n--x--\r\n")]
    [InlineData("application/json", "{}")]
    [InlineData("application/octet-stream", "blob")]
    public async Task Forwarded_UploadStartWithABody_ArrivesWithoutBodyAndType(string type, string body)
    {
        var content = new StringContent(body);
        content.Headers.ContentType = null;
        content.Headers.TryAddWithoutValidation("Content-Type", type);

        using var answer = await _gateway.SendAsync(HttpMethod.Post, "/v2/team-a/app/blobs/uploads/", "alice", content);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var seen = Assert.Single(_upstream.Requests);
        Assert.Empty(seen.Body);
        Assert.Equal("0", seen.Headers["Content-Length"]);
        Assert.DoesNotContain("Content-Type", seen.Headers.Keys);
    }

    [Fact]
    public async Task Forwarded_UploadInOnePost_IsStartedAsAnOrdinaryOne()
    {
        using var answer = await _gateway.SendAsync(
            HttpMethod.Post, $"/v2/team-a/app/blobs/uploads/?digest={Digest}", "alice", new ByteArrayContent([1]));

        var seen = Assert.Single(_upstream.Requests);
        Assert.Equal("/v2/team-a/app/blobs/uploads/", seen.Target);
        Assert.Empty(seen.Body);
    }

    [Theory]
    [InlineData("PATCH", "application/x-www-form-urlencoded", null)]
    [InlineData("PUT", " Application/X-WWW-Form-Urlencoded ; charset=utf-8", null)]
    [InlineData("PUT", "multipart/form-data; boundary=x", null)]
    [InlineData("PUT", "multipart/mixed; boundary=x", null)]
    [InlineData("PUT", "application/octet-stream, application/x-www-form-urlencoded", null)]
    [InlineData("PATCH", "application/octet-stream", "application/octet-stream")] // the neighbour: what clients send
    public async Task Forwarded_UploadBody_IsNeverAFormToTheRegistry(string method, string type, string? expected)
    {
        // The registry would take digest and _state out of a form, and prefer them to the query that is forwarded.
        var content = new ByteArrayContent("digest=x&_state=y"u8.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", type);

        using var answer = await _gateway.SendAsync(
            new HttpMethod(method), $"{_gateway.UploadTarget("alice")}&digest={Digest}", "alice", content);

        var seen = Assert.Single(_upstream.Requests);
        Assert.Equal(17, seen.Body.Length);
        Assert.Equal(expected, seen.Headers.GetValueOrDefault("Content-Type"));
    }

    [Theory]
    // UTF-8, which the connection to the upstream cannot carry
    [InlineData("User-Agent: caf\u00c3\u00a9", "User-Agent")]
    [InlineData("Accept: x\u001b[2J", "Accept")]
    [InlineData("If-None-Match: \u0007", "If-None-Match")]
    public async Task Header_ThatCannotTravel_IsRefusedAndTheUpstreamIsNotBlamed(string header, string name)
    {
        var answer = await _gateway.SendRawAsync(
            "GET /v2/team-a/app/manifests/v1 HTTP/1.1\r\nHost: registry.test\r\nAuthorization:"
            + $" {TestGateway.Basic("bob")}\r\n{header}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Contains(name, answer, StringComparison.Ordinal);
        Assert.Empty(_upstream.Requests);
        // Else anybody who may pull could have every replica taken out of service.
        Assert.True(_gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("main", out var cluster));
        Assert.All(
            cluster.Destinations.Values, static d => Assert.NotEqual(DestinationHealth.Unhealthy, d.Health.Passive));
    }

    [Fact]
    public async Task Header_ThatStaysHere_MayHoldAnything()
    {
        var answer = await _gateway.SendRawAsync(
            "GET /v2/team-a/app/manifests/v1 HTTP/1.1\r\nHost: registry.test\r\nAuthorization:"
                + $" {TestGateway.Basic("bob")}\r\n"
            + "X-Client-Name: Jos\u00c3\u00a9\r\nUser-Agent: a\tb\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Equal("a\tb", Assert.Single(_upstream.Requests).Headers["User-Agent"]);
    }

    [Fact]
    public async Task Upstreams_ThatDifferInSchemeOnly_AreBothUsed()
    {
        var encrypted = new UriBuilder(_upstream.Address) { Scheme = "https" }.Uri;

        await using var gateway = await TestGateway.StartAsync(
            [new RegistryOptions { Name = "main", Upstreams = [_upstream.Address, encrypted] }]);

        Assert.True(gateway.Services.GetRequiredService<IProxyStateLookup>().TryGetCluster("main", out var cluster));
        Assert.Equal(2, cluster.Destinations.Count);
    }

    [Fact]
    public async Task Forwarded_ManifestPut_ArrivesWithBodyTypeAndLength()
    {
        var content = new StringContent("{}", Encoding.UTF8);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/vnd.oci.image.manifest.v1+json");

        using var answer = await _gateway.SendAsync(HttpMethod.Put, "/v2/team-a/app/manifests/v1", "alice", content);

        var seen = Assert.Single(_upstream.Requests);
        Assert.Equal("{}", Encoding.UTF8.GetString(seen.Body));
        Assert.Equal("2", seen.Headers["Content-Length"]);
        Assert.Equal("application/vnd.oci.image.manifest.v1+json", seen.Headers["Content-Type"]);
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded", HttpStatusCode.UnsupportedMediaType)]
    [InlineData(" Application/X-WWW-Form-Urlencoded ; charset=utf-8", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("multipart/form-data; boundary=x", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/vnd.oci.image.index.v1+json", HttpStatusCode.OK)]
    [InlineData("application/json", HttpStatusCode.OK)]
    [InlineData(null, HttpStatusCode.OK)]
    public async Task Forwarded_ManifestPut_IsNoForm(string? type, HttpStatusCode expected)
    {
        var content = new ByteArrayContent("from=secret/app"u8.ToArray());
        if (type is not null)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        using var answer = await _gateway.SendAsync(HttpMethod.Put, "/v2/team-a/app/manifests/v1", "alice", content);

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal(expected == HttpStatusCode.OK ? 1 : 0, _upstream.Requests.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Forwarded_UploadPatch_KeepsItsFraming(bool knownLength)
    {
        HttpContent content = knownLength
            ? new ByteArrayContent(new byte[100_000])
            : new StreamContent(new UnknownLengthStream(new byte[100_000]));
        content.Headers.TryAddWithoutValidation("Content-Type", "application/octet-stream");
        content.Headers.TryAddWithoutValidation("Content-Range", "0-99999");

        using var answer = await _gateway.SendAsync(
            HttpMethod.Patch, _gateway.UploadTarget("alice"), "alice", content);

        var seen = Assert.Single(_upstream.Requests);
        Assert.Equal(100_000, seen.Body.Length);
        Assert.Equal("0-99999", seen.Headers["Content-Range"]);
        Assert.Equal(knownLength ? "100000" : null, seen.Headers.GetValueOrDefault("Content-Length"));
        Assert.Equal(knownLength ? null : "chunked", seen.Headers.GetValueOrDefault("Transfer-Encoding"));
    }

    [Fact]
    public async Task Forwarded_GetWithABody_ArrivesWithoutIt()
    {
        using var answer = await _gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/manifests/v1", "alice", new StringContent("smuggled"));

        var seen = Assert.Single(_upstream.Requests);
        Assert.Empty(seen.Body);
        Assert.DoesNotContain("Content-Length", seen.Headers.Keys);
    }

    [Theory]
    [InlineData("gw", "secret", null, "Basic Z3c6c2VjcmV0")]
    [InlineData(null, null, "t0ken", "Bearer t0ken")]
    public async Task Forwarded_WithUpstreamCredential_CarriesTheGatewaysOwn(
        string? username, string? password, string? token, string expected)
    {
        await using var gateway = await TestGateway.StartAsync(
        [
            new RegistryOptions
            {
                Name = "main",
                Upstreams = [_upstream.Address],
                Credential = new UpstreamCredentialOptions { Username = username, Password = password, Token = token },
            },
        ]);

        using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", "alice");

        Assert.Equal(expected, Assert.Single(_upstream.Requests).Headers["Authorization"]);
    }

    [Fact]
    public async Task Forwarded_RepositoryUnderAStrippedPrefix_ArrivesByItsUpstreamName()
    {
        await using var other = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(
        [
            new RegistryOptions { Name = "main", Upstreams = [_upstream.Address] },
            new RegistryOptions { Name = "mirror", Upstreams = [other.Address], Prefix = "mirror", StripPrefix = true },
        ]);

        using var first = await gateway.SendAsync(HttpMethod.Get, "/v2/mirror/library/alpine/manifests/3", "admin");
        using var second = await gateway.SendAsync(HttpMethod.Get, "/v2/mirrored/app/manifests/3", "admin");
        using var mount = await gateway.SendAsync(
            HttpMethod.Post, $"/v2/mirror/a/blobs/uploads/?mount={Digest}&from=mirror%2Fb", "admin");
        using var acrossRegistries = await gateway.SendAsync(
            HttpMethod.Post, $"/v2/mirror/a/blobs/uploads/?mount={Digest}&from=team-a%2Fb", "admin");

        Assert.Equal(
            ["/v2/library/alpine/manifests/3", $"/v2/a/blobs/uploads/?mount={Digest}&from=b", "/v2/a/blobs/uploads/"],
            other.Requests.Select(static request => Uri.UnescapeDataString(request.Target)));
        Assert.Equal("/v2/mirrored/app/manifests/3", Assert.Single(_upstream.Requests).Target);
    }

    private sealed class UnknownLengthStream(byte[] content) : MemoryStream(content)
    {
        public override bool CanSeek => false;
    }
}
