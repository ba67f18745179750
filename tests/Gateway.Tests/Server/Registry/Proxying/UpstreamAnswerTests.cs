using System.Net;
using System.Text.Json;
using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Server.Registry.Proxying;

/// <summary>What a client gets to see of an upstream's answer, good or broken.</summary>
public sealed class UpstreamAnswerTests : IAsyncLifetime
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Manifest = "/v2/team-a/app/manifests/v1";
    private const string Blob = "/v2/team-a/app/blobs/" + Digest;

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

    [Theory]
    [InlineData("http://127.0.0.1:5000/v2/team-a/app/blobs/uploads/u1?_state=a%3Db", "?_state=a%3Db")]
    [InlineData("https://evil.example/v2/team-a/app/blobs/uploads/u1?_state=x", "?_state=x")]
    [InlineData("/v2/team-a/app/blobs/uploads/u1", "")]
    [InlineData("/v2/team-a/app/blobs/uploads/u1?token=a%2fb+c;d&e={%7e}", "?token=a%2fb+c;d&e={%7e}")]
    [InlineData("/v2/team-a/app/blobs/uploads/u1?_state=x&%64igest=x", null)]
    [InlineData("/v2/team-a/app/blobs/uploads/u1?_state=x;from=y", null)]
    [InlineData("https, http://x/v2/team-a/app/blobs/uploads/u1", null)]
    [InlineData("/v2/team-b/app/blobs/uploads/u1", null)]
    [InlineData("/somewhere/else", null)]
    public async Task UploadLocation_WhateverTheUpstreamEmits_LeadsBackThroughTheGateway(string emitted, string? query)
    {
        _upstream.Respond = context =>
        {
            context.Response.StatusCode = 202;
            context.Response.Headers.Location = emitted;
            return Task.CompletedTask;
        };

        using var answer = await _gateway.SendAsync(HttpMethod.Post, "/v2/team-a/app/blobs/uploads/", "alice");

        Assert.Equal(query is null ? HttpStatusCode.BadGateway : HttpStatusCode.Accepted, answer.StatusCode);
        var location = answer.Headers.TryGetValues("Location", out var values) ? values.Single() : null;
        if (query is null)
        {
            Assert.Null(location);
            return;
        }

        Assert.Matches(@"\Ahttps://registry\.test/v2/team-a/app/blobs/uploads/u1\?_ticket=[A-Za-z0-9_-]+\z", location);
        using var next = await _gateway.SendAsync(HttpMethod.Patch, new Uri(location!).PathAndQuery, "alice");
        Assert.Equal("/v2/team-a/app/blobs/uploads/u1" + query, _upstream.Requests[^1].Target);
    }

    [Theory]
    [InlineData("GET", "/v2/team-a/app/manifests/v1")]
    [InlineData("GET", Blob)]
    [InlineData("DELETE", Blob)]
    public async Task UploadLocation_InAnAnswerToSomethingElse_IsNonsense(string method, string target)
    {
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = 202;
            context.Response.Headers.Location = "/v2/team-a/app/blobs/uploads/u1?_state=x";
            return Task.CompletedTask;
        };

        using var answer = await _gateway.SendAsync(new HttpMethod(method), target, "admin");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode); // who may only pull is given no ticket
    }

    [Fact]
    public async Task Location_UnderAStrippedPrefix_CarriesThePublicName()
    {
        await using var gateway = await TestGateway.StartAsync(
        [
            new RegistryOptions
            {
                Name = "old",
                Upstreams = [_upstream.Address],
                Prefix = "old/stuff",
                StripPrefix = true,
            },
        ]);
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = 201;
            context.Response.Headers.Location = "/v2/app/manifests/" + Digest;
            return Task.CompletedTask;
        };

        using var answer = await gateway.SendAsync(
            HttpMethod.Put, "/v2/old/stuff/app/manifests/v1", "admin", new ByteArrayContent([1]));

        Assert.Equal($"https://registry.test/v2/old/stuff/app/manifests/{Digest}", answer.Headers.Location!.ToString());
    }

    [Fact]
    public async Task BlobRedirect_ToObjectStorage_PassesUntouched()
    {
        const string Storage = "https://bucket.storage.example/v2/x%2Fy?X-Amz-Signature=a%2Bb&Expires=1";
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = Storage;
            return Task.CompletedTask;
        };

        using var blob = await _gateway.SendAsync(HttpMethod.Get, Blob, "alice");
        using var upload = await _gateway.SendAsync(HttpMethod.Post, "/v2/team-a/app/blobs/uploads/", "alice");

        Assert.Equal(HttpStatusCode.TemporaryRedirect, blob.StatusCode);
        Assert.Equal(Storage, blob.Headers.GetValues("Location").Single());
        Assert.Equal(HttpStatusCode.BadGateway, upload.StatusCode);
    }

    [Theory]
    [InlineData(
        "http://registry.test/v2/team-a/app/blobs/" + Digest, "https://registry.test/v2/team-a/app/blobs/" + Digest)]
    // the password would go along, in the clear
    [InlineData("http://registry.test/v2/secret/app/blobs/" + Digest, null)]
    [InlineData("https://REGISTRY.test/token?x=y", null)]
    [InlineData("https://user:password@registry.test/x", null)]
    public async Task BlobRedirect_ToTheGatewayItself_LeadsToTheSameRepositoryOnly(string emitted, string? expected)
    {
        _upstream.Respond = context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = emitted;
            return Task.CompletedTask;
        };

        using var answer = await _gateway.SendAsync(HttpMethod.Get, Blob, "alice");

        Assert.Equal(
            expected is null ? HttpStatusCode.BadGateway : HttpStatusCode.TemporaryRedirect, answer.StatusCode);
        Assert.Equal(expected, answer.Headers.TryGetValues("Location", out var values) ? values.Single() : null);
    }

    [Theory]
    // Not set: https to any host, plain HTTP to the upstream's own.
    [InlineData("https://any.example.com:8443/x?y", null, true)]
    [InlineData("http://127.0.0.1:9/x", null, true)]
    [InlineData("http://storage.example.com/x", null, false)]
    [InlineData("http://127.0.0.2/x", null, false)]
    // Listed: what is named, and nothing else.
    [InlineData("https://bucket.example.com/x", "bucket.example.com", true)]
    [InlineData("https://bucket.example.com:443/x", "bucket.example.com", true)]
    [InlineData("HTTPS://Bucket.Example.com/x", "bucket.example.com", true)]
    [InlineData("https://bucket.example.com:8443/x", "bucket.example.com", false)]
    [InlineData("http://bucket.example.com/x", "bucket.example.com", false)]
    [InlineData("http://bucket.example.com:443/x", "bucket.example.com", false)]
    [InlineData("https://other.example.com/x", "bucket.example.com", false)]
    [InlineData("https://bucket.example.com.evil.example/x", "bucket.example.com", false)]
    [InlineData("https://eu.s3.example.com/x", "*.s3.example.com", true)]
    [InlineData("https://a.b.s3.example.com/x", "*.s3.example.com", true)]
    [InlineData("https://s3.example.com/x", "*.s3.example.com", false)]
    [InlineData("https://evils3.example.com/x", "*.s3.example.com", false)]
    [InlineData("https://eu.s3.example.com:8443/x", "*.s3.example.com", false)]
    [InlineData("http://minio:9000/x", "http://minio:9000", true)]
    [InlineData("https://minio:9000/x", "http://minio:9000", false)]
    [InlineData("http://minio/x", "http://minio:9000", false)]
    [InlineData("http://127.0.0.1:9/x", "bucket.example.com", false)]
    [InlineData("https://bucket.example.com/x", "", false)]
    public async Task BlobRedirect_ToAHost_PassesOnlyWhereItIsAllowed(string location, string? allow, bool passes)
    {
        await using var gateway = await StartAsync(allow);
        Redirect(location);

        using var answer = await gateway.SendAsync(HttpMethod.Get, Blob, "alice");
        using var head = await gateway.SendAsync(HttpMethod.Head, Blob, "alice");
        using var manifest = await gateway.SendAsync(HttpMethod.Get, Manifest, "alice");

        Assert.All([answer, head, manifest], one =>
        {
            Assert.Equal(passes ? HttpStatusCode.TemporaryRedirect : HttpStatusCode.BadGateway, one.StatusCode);
            Assert.Equal(
                passes ? location : null,
                one.Headers.NonValidated.TryGetValues("Location", out var values) ? values.ToString() : null);
        });
        if (!passes)
        {
            var origin = new Uri(location).GetLeftPart(UriPartial.Authority);
            await AssertErrorAsync(
                answer, "UNAVAILABLE",
                $"the registry behind the gateway redirects this download to {origin}, which its "
                + "setting \"redirects.allow\" does not allow; its operator must add that host");
        }
    }

    [Theory]
    [InlineData("https://user@bucket.example.com/x")]
    [InlineData("https://bucket.example.com@evil.example/x")]
    [InlineData("https://evil.example\\@bucket.example.com/x")]
    [InlineData("https://bucket.example.com\\.evil.example/x")]
    [InlineData("https://bucket.example.com#@evil.example/x")]
    [InlineData("https://bucket.example.com:0443/x")]
    public async Task BlobRedirect_ThatClientsReadDifferently_IsNonsenseWhateverIsAllowed(string location)
    {
        Redirect(location);

        using var answer = await _gateway.SendAsync(HttpMethod.Get, Blob, "alice");

        Assert.Null(answer.Headers.Location);
        await AssertErrorAsync(
            answer, "UNAVAILABLE",
            "the registry behind the gateway gave an unusable answer: its Location header is not a URL that all "
                + "clients read alike");
    }

    [Theory]
    [InlineData("GET", "/v2/team-a/app/tags/list")]
    [InlineData("GET", "/v2/team-a/app/referrers/" + Digest)]
    [InlineData("POST", "/v2/team-a/app/blobs/uploads/")]
    [InlineData("PUT", Manifest)]
    [InlineData("DELETE", Blob)]
    public async Task Redirect_OfAnythingButADownload_StaysHere(string method, string target)
    {
        await using var gateway = await StartAsync("bucket.example.com");
        Redirect("https://bucket.example.com/x");

        using var answer = await gateway.SendAsync(
            new HttpMethod(method), target, "admin", method == "PUT" ? new ByteArrayContent([1]) : null);

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Null(answer.Headers.Location);
    }

    [Theory]
    [InlineData(null, HttpStatusCode.BadGateway)] // Go's clients send the password along to every port of a host
    [InlineData("http://registry.test:9000", HttpStatusCode.TemporaryRedirect)] // the operator says so
    public async Task BlobRedirect_ToPlainHttpOfTheGatewaysOwnName_MustBeAllowedByName(
        string? allow, HttpStatusCode expected)
    {
        await using var gateway = await StartAsync(allow, new Uri("http://registry.test:1"), _upstream.Address);
        Redirect("http://registry.test:9000/x");

        using var answer = await gateway.SendAsync(HttpMethod.Get, Blob, "alice");

        Assert.Equal(expected, answer.StatusCode);
    }

    [Theory]
    [InlineData("/v2/team-a/app/blobs/" + Digest, HttpStatusCode.TemporaryRedirect)]
    [InlineData("/v2/team-b/app/blobs/" + Digest, HttpStatusCode.BadGateway)]
    [InlineData("/storage/x", HttpStatusCode.BadGateway)]
    public async Task BlobRedirect_ToAnotherUpstream_LeadsThroughTheGateway(string path, HttpStatusCode expected)
    {
        var second = new Uri("https://127.0.0.1:1");
        await using var gateway = await StartAsync(null, second, _upstream.Address);
        Redirect($"https://127.0.0.1:1{path}");

        using var answer = await gateway.SendAsync(HttpMethod.Get, Blob, "alice");

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal(
            expected == HttpStatusCode.BadGateway ? null : "https://registry.test" + path,
            answer.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task Link_FromTheUpstream_IsRebuilt()
    {
        _upstream.Respond = static context =>
        {
            context.Response.Headers.Link = "<http://127.0.0.1:5000/v2/team-a/app/tags/list?last=b%2Bc&n=2&x=y>; "
                + "rel=\"next\"";
            return Task.CompletedTask;
        };

        using var answer = await _gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/tags/list?n=2", "alice");

        var link = answer.Headers.GetValues("Link").Single();
        Assert.StartsWith("</v2/team-a/app/tags/list?", link, StringComparison.Ordinal);
        Assert.EndsWith(">; rel=\"next\"", link, StringComparison.Ordinal);
        Assert.Contains("last=b%2Bc", link, StringComparison.Ordinal);
        Assert.Contains("n=2", link, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_ThatBelongToTheUpstream_StayBehind()
    {
        _upstream.Respond = static context =>
        {
            var headers = context.Response.Headers;
            headers["Docker-Content-Digest"] = Digest;
            headers.ETag = $"\"{Digest}\"";
            headers.CacheControl = "max-age=31536000";
            headers.Server = "registry";
            headers.SetCookie = "a=b";
            headers.AccessControlAllowOrigin = "*";
            headers.WWWAuthenticate = "Basic realm=\"upstream\"";
            headers["Docker-Distribution-Api-Version"] = "registry/2.0, registry/2.0";
            headers["X-Internal"] = "10.0.0.3";
            return context.Response.WriteAsync("content");
        };

        using var answer = await _gateway.SendAsync(HttpMethod.Get, Blob, "alice");

        Assert.Equal("content", await answer.Content.ReadAsStringAsync());
        Assert.Equal(
            [
                "cache-control", "content-security-policy", "date", "docker-content-digest",
                "docker-distribution-api-version",
                "etag", "strict-transport-security", "transfer-encoding", "x-content-type-options", "x-request-id",
            ],
            answer.Headers.Select(static header => header.Key.ToLowerInvariant()).Order());
        Assert.Equal("registry/2.0", answer.Headers.GetValues("Docker-Distribution-Api-Version").Single());
        Assert.True(answer.Headers.CacheControl is { Private: true, MaxAge.TotalDays: 365 });
    }

    [Fact]
    public async Task Head_OfABlob_KeepsItsLengthAndHasNoBody()
    {
        _upstream.Respond = static context =>
        {
            context.Response.ContentLength = 12345;
            return Task.CompletedTask;
        };

        using var answer = await _gateway.SendAsync(HttpMethod.Head, Blob, "alice");

        Assert.Equal(12345, answer.Content.Headers.ContentLength);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData(
        401, 502, "UNAVAILABLE",
        "the registry behind the gateway refused the gateway's own credential; its operator must set \"credential\"")]
    [InlineData(
        403, 502, "UNAVAILABLE",
        "the registry behind the gateway refused the gateway's own credential; its operator must set \"credential\"")]
    [InlineData(500, 500, "UNKNOWN", "the registry behind the gateway failed; its own log has the reason")]
    [InlineData(503, 503, "UNAVAILABLE", "the registry behind the gateway is not available; try again shortly")]
    [InlineData(
        301, 502, "UNAVAILABLE",
        "the registry behind the gateway gave an unusable answer: its Location header names no upload, blob or "
            + "manifest of this repository")]
    public async Task UpstreamFailure_OfItsOwn_IsToldWithoutItsWords(
        int status, int expected, string code, string message)
    {
        _upstream.Respond = context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"http://10.0.0.3/token\"";
            context.Response.Headers.Location = status == 301 ? "/elsewhere" : default;
            return context.Response.WriteAsync("{\"errors\":[{\"code\":\"X\",\"detail\":\"/var/lib/registry\"}]}");
        };

        using var answer = await _gateway.SendAsync(HttpMethod.Get, Manifest, "alice");

        Assert.Equal(expected, (int)answer.StatusCode);
        Assert.Empty(answer.Headers.WwwAuthenticate);
        Assert.Null(answer.Headers.Location);
        await AssertErrorAsync(answer, code, message);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(400)]
    [InlineData(416)]
    [InlineData(429)]
    public async Task UpstreamRefusal_OfTheRequest_PassesAsItIs(int status)
    {
        _upstream.Respond = context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync("{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
        };

        using var answer = await _gateway.SendAsync(HttpMethod.Get, Manifest, "alice");

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Upstream_ThatIsDown_Is502WithTheRequestId()
    {
        await _upstream.DisposeAsync();

        using var answer = await _gateway.SendAsync(HttpMethod.Get, Manifest, "alice");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal("5", answer.Headers.GetValues("Retry-After").Single());
        await AssertErrorAsync(
            answer, "UNAVAILABLE", "the registry behind the gateway cannot be reached; try again shortly");
    }

    [Fact]
    public async Task Upstream_ThatIsSilent_Is504()
    {
        await using var gateway = await TestGateway.StartAsync(
        [
            new RegistryOptions
            {
                Name = "main",
                Upstreams = [_upstream.Address],
                ActivityTimeout = TimeSpan.FromSeconds(1),
            },
        ]);
        _upstream.Respond = static context => Task.Delay(TimeSpan.FromSeconds(30), context.RequestAborted);

        using var answer = await gateway.SendAsync(HttpMethod.Get, Manifest, "alice");

        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
        await AssertErrorAsync(
            answer, "UNAVAILABLE", "the registry behind the gateway did not answer in time; try again shortly");
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("HTTP/1.1 2000 What\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n")]
    [InlineData("")]
    public async Task Upstream_ThatTalksNonsense_Is502(string nonsense)
    {
        await using var upstream = new RawUpstream(nonsense);
        await using var gateway = await TestGateway.StartAsync(upstream.Address);

        using var answer = await gateway.SendAsync(HttpMethod.Get, Manifest, "alice");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        await AssertErrorAsync(
            answer, "UNAVAILABLE", "the registry behind the gateway cannot be reached; try again shortly");
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK")] // the neighbour: an honest answer
    [InlineData("HTTP/1.1 404 on 10.0.0.3\u001b[2J\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 404 Not Found")]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 204 No Content")]
    [InlineData(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw", "HTTP/1.1 502 Bad Gateway")]
    [InlineData("HTTP/1.1 999 Beyond\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 502 Bad Gateway")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", "HTTP/1.1 502 Bad Gateway")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nWarning: \u001b[2J\r\n\r\nok", "HTTP/1.1 502 Bad Gateway")]
    [InlineData(
        "HTTP/1.1 307 T\r\nContent-Length: 0\r\nLocation: //evil.example/x\r\n\r\n", "HTTP/1.1 502 Bad Gateway")]
    [InlineData(
        "HTTP/1.1 307 T\r\nContent-Length: 0\r\nLocation: javascript:alert(1)\r\n\r\n", "HTTP/1.1 502 Bad Gateway")]
    [InlineData(
        "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK")]
    [InlineData(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nSet-Cookie: a=b\r\n\r\n",
        "HTTP/1.1 200 OK")]
    public async Task HostileAnswer_ToARead_ReachesTheClientSo(string bytes, string expected)
    {
        await using var upstream = new RawUpstream(bytes);
        await using var gateway = await TestGateway.StartAsync(upstream.Address);

        var answer = await gateway.SendRawAsync(
            $"GET {Manifest} HTTP/1.1\r\nHost: registry.test\r\nAuthorization:"
                + $" {TestGateway.Basic("bob")}\r\nConnection: close\r\n\r\n");

        Assert.Equal(expected, answer.Split("\r\n")[0]);
        Assert.Contains("\r\nX-Request-Id: ", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("evil", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Set-Cookie", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b", answer, StringComparison.Ordinal);
        Assert.Single(answer.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    public async Task Upstream_ThatBreaksOffInTheBody_DoesNotLookComplete(string half)
    {
        await using var upstream = new RawUpstream(half);
        await using var gateway = await TestGateway.StartAsync(upstream.Address);

        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            using var answer = await gateway.SendAsync(HttpMethod.Get, Blob, "alice");
            await answer.Content.ReadAsByteArrayAsync();
        });
    }

    [Theory]
    [InlineData(
        "416 Requested Range Not Satisfiable", "Content-Range: bytes */137\r\n", "invalid range: failed to overlap\n",
        "RANGE_INVALID", "the range is outside the blob, which has 137 bytes", "bytes */137")]
    [InlineData(
        "416 Requested Range Not Satisfiable", "", "invalid range\n",
        "RANGE_INVALID", "the range is malformed or outside the blob", null)]
    [InlineData(
        "416 Requested Range Not Satisfiable", "Content-Range: bytes */evil\r\n", "invalid range\n",
        "RANGE_INVALID", "the range is malformed or outside the blob", null)]
    [InlineData(
        "412 Precondition Failed", "", "",
        "UNKNOWN",
        "the request's If-Match or If-Unmodified-Since does not hold: the stored content is different or newer", null)]
    public async Task RefusalOfADownload_ShorterThanItSays_IsAnsweredWhole(
        string status, string header, string body, string code, string message, string? range)
    {
        // As Distribution 2.8.2 answers: the blob's length, a sentence of another, and the end of the connection.
        await using var upstream = new RawUpstream($"HTTP/1.1 {status}\r\nContent-Length: 137\r\n{header}\r\n{body}");
        await using var gateway = await TestGateway.StartAsync(upstream.Address);

        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head })
            {
                using var request = new HttpRequestMessage(method, $"https://{TestGateway.Host}{Blob}")
                {
                    Version = version,
                    VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                };
                request.Headers.TryAddWithoutValidation("Authorization", TestGateway.Basic("alice"));
                request.Headers.TryAddWithoutValidation("Range", "bytes=500-600");
                using var answer = await gateway.Client.SendAsync(request);

                Assert.Equal(version, answer.Version);
                Assert.Equal(status, $"{(int)answer.StatusCode} {status[4..]}");
                Assert.Equal(
                    range,
                    answer.Content.Headers.TryGetValues("Content-Range", out var values) ? values.Single() : null);
                if (method == HttpMethod.Get)
                {
                    await AssertErrorAsync(answer, code, message);
                }
            }
        }
    }

    private void Redirect(string location) => _upstream.Respond = context =>
    {
        context.Response.StatusCode = 307;
        context.Response.Headers.Location = location;
        return Task.CompletedTask;
    };

    private Task<TestGateway> StartAsync(string? allow, params Uri[] upstreams) => TestGateway.StartAsync(
    [
        new RegistryOptions
        {
            Name = "main",
            Upstreams = [.. upstreams.DefaultIfEmpty(_upstream.Address)],
            Redirects = new RedirectOptions
            {
                Allow = allow?.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToList(),
            },
        },
    ]);

    internal static async Task AssertErrorAsync(HttpResponseMessage answer, string code, string message)
    {
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("registry/2.0", answer.Headers.GetValues("Docker-Distribution-Api-Version").Single());
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync());
        var error = json.RootElement.GetProperty("errors")[0];
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.Equal(message, error.GetProperty("message").GetString());
        Assert.Equal(
            answer.Headers.GetValues("X-Request-Id").Single(),
            error.GetProperty("detail").GetProperty("requestId").GetString());
    }
}
