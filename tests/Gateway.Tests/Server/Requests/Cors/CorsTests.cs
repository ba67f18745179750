using System.Net;
using System.Text;
using Gateway.Server.Requests.Cors;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Server.Requests.Cors;

/// <summary>What pages of allowed and of other origins are answered, with CORS on, credentials left out.</summary>
public sealed class CorsTests : IAsyncLifetime
{
    private const string Ui = "https://ui.test";
    private const string Evil = "https://evil.test";
    private const string Manifest = "/v2/team-a/app/manifests/1";

    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _gateway = await TestGateway.StartAsync(
            _upstream.Address,
            change: static options => options.Cors = new CorsOptions { Origins = [Ui, "https://*.example.com"] });
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData("/v2/")]
    [InlineData("/v2/_catalog?n=1000")]
    [InlineData(Manifest)]
    [InlineData("/token?service=registry.test&scope=repository:team-a/app:pull")]
    [InlineData("/api/v1/tokens")]
    public async Task Preflight_AllowedOrigin_IsAnsweredBeforeAnyCredentials(string target)
    {
        using var answer = await PreflightAsync(target, Ui, "DELETE", "authorization,accept");

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(
            """
            Access-Control-Allow-Headers: Authorization,Accept,Cache-Control,Content-Type,Content-Range,If-None-Match,Range
            Access-Control-Allow-Methods: GET,HEAD,POST,PUT,PATCH,DELETE
            Access-Control-Allow-Origin: https://ui.test
            Access-Control-Max-Age: 3600
            Vary: Origin

            """,
            CorsHeaders(answer));
        Assert.False(answer.Headers.Contains("WWW-Authenticate"));
        Assert.Empty(_upstream.Requests);
    }

    [Theory]
    [InlineData("https://a.example.com", true)]
    [InlineData("https://a.b.example.com", true)]
    [InlineData("https://example.com", false)]
    [InlineData("https://a.example.com.evil.org", false)]
    [InlineData("https://evilexample.com", false)]
    [InlineData("https://a.example.com:8443", false)]
    [InlineData("http://a.example.com", false)]
    [InlineData(Evil, false)]
    [InlineData("null", false)]
    [InlineData("https://ui.test, https://ui.test", false)]
    public async Task Preflight_AnyOrigin_IsAllowedOnlyIfItIsConfigured(string origin, bool allowed)
    {
        using var answer = await PreflightAsync("/v2/", origin, "GET", "authorization");

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        if (allowed)
        {
            Assert.Equal(origin, answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        }
        else
        {
            Assert.Equal("Vary: Origin\n", CorsHeaders(answer));
        }
    }

    [Fact]
    public async Task Preflight_OfAnotherHost_IsMisdirectedAsEverythingElse()
    {
        var answer = await _gateway.SendRawAsync(
            $"OPTIONS /v2/ HTTP/1.1\r\nHost: other.test\r\nOrigin: {Ui}\r\nAccess-Control-Request-Method: GET\r\n"
            + "Connection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 421", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Access-Control", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", 404)]
    [InlineData("/healthz", 200)]
    [InlineData("/tokens", 404)]
    [InlineData("/token/x", 404)]
    [InlineData("/V2/", 404)] // routing ignores case; the registry API does not
    [InlineData("/apis", 404)]
    public async Task Preflight_OfWhatIsNotForPages_GetsNoHeaders(string target, int status)
    {
        using var answer = await PreflightAsync(target, Ui, "GET", "authorization");

        Assert.Equal("", CorsHeaders(answer));
        Assert.True(status == 200 || (int)answer.StatusCode == status, $"{answer.StatusCode}");
    }

    [Theory]
    [InlineData("/v2/", 405)]
    [InlineData("/token", 405)]
    [InlineData("/api/v1/tokens", 405)]
    public async Task Options_ThatAsksNothing_IsRefusedAsWithoutCors(string target, int status)
    {
        await using var without = await TestGateway.StartAsync(_upstream.Address);
        using var expected = await without.SendAsync(HttpMethod.Options, target, headers: ("Origin", Ui));

        using var answer = await _gateway.SendAsync(HttpMethod.Options, target, headers: ("Origin", Ui));
        using var fromNoPage = await _gateway.SendAsync(
            HttpMethod.Options, target, headers: ("Access-Control-Request-Method", "GET"));

        Assert.Equal(status, (int)expected.StatusCode);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(status, (int)fromNoPage.StatusCode);
        Assert.Equal(expected.Content.Headers.Allow, answer.Content.Headers.Allow);
        Assert.Equal(Ui, answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.False(fromNoPage.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Answer_ToAnAllowedPage_CanBeReadWithWhatARegistryUiNeeds()
    {
        _upstream.Respond = static context =>
        {
            context.Response.Headers["Docker-Content-Digest"] = "sha256:" + new string('a', 64);
            return context.Response.WriteAsync("{}");
        };

        using var answer = await _gateway.SendAsync(HttpMethod.Get, Manifest, "alice", headers: ("Origin", Ui));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(
            """
            Access-Control-Allow-Origin: https://ui.test
            Access-Control-Expose-Headers: Docker-Content-Digest,Docker-Distribution-Api-Version,Docker-Upload-UUID,WWW-Authenticate,Link,Location,X-Request-Id,ETag,Range,Content-Range,Accept-Ranges,OCI-Chunk-Min-Length,OCI-Filters-Applied,OCI-Subject,OCI-Tag,Warning,Retry-After,ratelimit-limit,ratelimit-remaining,docker-ratelimit-source
            Vary: Origin

            """,
            CorsHeaders(answer));
    }

    [Theory]
    [InlineData(Evil)]
    [InlineData(null)]
    public async Task Answer_ToAnybodyElse_VariesByOriginAndAllowsNothing(string? origin)
    {
        (string, string)[] headers = origin is null ? [] : [("Origin", origin)];

        using var allowed = await _gateway.SendAsync(HttpMethod.Get, Manifest, "alice", headers: headers);
        using var refused = await _gateway.SendAsync(HttpMethod.Get, Manifest, headers: headers);
        using var token = await _gateway.SendAsync(
            HttpMethod.Get, "/token?service=registry.test", "alice", headers: headers);

        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.All([allowed, refused, token], static answer => Assert.Equal("Vary: Origin\n", CorsHeaders(answer)));
    }

    [Fact]
    public async Task Answer_WithTheUpstreamsOwnHeaders_HasOursOnlyAndEachOnce()
    {
        _upstream.Respond = static context =>
        {
            var headers = context.Response.Headers;
            headers.Vary = "Accept, origin";
            headers.AccessControlAllowOrigin = "*";
            headers.AccessControlAllowCredentials = "true";
            headers.AccessControlAllowMethods = "PURGE";
            headers.AccessControlAllowHeaders = "X-Upstream";
            headers.AccessControlExposeHeaders = "X-Upstream";
            headers.AccessControlMaxAge = "9999";
            return Task.CompletedTask;
        };

        using var page = await _gateway.SendAsync(HttpMethod.Get, Manifest, "alice", headers: ("Origin", Ui));
        using var nobody = await _gateway.SendAsync(HttpMethod.Get, Manifest, "alice");

        Assert.Equal([Ui], page.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(
            "Accept, Origin",
            string.Join(" | ", page.Headers.GetValues("Vary")).Replace(" |", ",", StringComparison.Ordinal));
        Assert.DoesNotContain("X-Upstream", CorsHeaders(page), StringComparison.Ordinal);
        Assert.Equal(["Access-Control-Allow-Origin", "Access-Control-Expose-Headers"], page.Headers
            .Select(static header => header.Key)
            .Where(static name => name.StartsWith("Access-Control", StringComparison.Ordinal)).Order());
        Assert.Equal("Vary: Accept, Origin\n", CorsHeaders(nobody));
    }

    [Fact]
    public async Task Error_OfEveryKind_CanBeReadByAnAllowedPage()
    {
        var origin = ("Origin", Ui);
        using var unauthorized = await _gateway.SendAsync(HttpMethod.Get, Manifest, headers: origin);
        using var forbidden = await _gateway.SendAsync(HttpMethod.Delete, Manifest, "bob", headers: origin);
        using var notFound = await _gateway.SendAsync(HttpMethod.Get, "/v2/no/such/route", "alice", headers: origin);
        using var wrongPassword = await _gateway.SendAsync(
            HttpMethod.Get, "/token", headers: [origin, ("Authorization", "Basic YWxpY2U6d3Jvbmc=")]);
        using var apiUnauthorized = await _gateway.SendAsync(HttpMethod.Get, "/api/v1/tokens", headers: origin);
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = 429;
            return Task.CompletedTask;
        };
        using var tooMany = await _gateway.SendAsync(HttpMethod.Get, Manifest, "alice", headers: origin);
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        using var unavailable = await _gateway.SendAsync(HttpMethod.Get, Manifest, "alice", headers: origin);
        await _upstream.DisposeAsync();
        using var badGateway = await _gateway.SendAsync(HttpMethod.Get, Manifest, "alice", headers: origin);

        HttpResponseMessage[] answers =
            [unauthorized, forbidden, notFound, wrongPassword, apiUnauthorized, tooMany, unavailable, badGateway];
        Assert.Equal([401, 403, 404, 401, 401, 429, 503, 502], answers.Select(static answer => (int)answer.StatusCode));
        Assert.All(answers, static answer =>
        {
            Assert.Equal(Ui, answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.Contains(
                "WWW-Authenticate", answer.Headers.GetValues("Access-Control-Expose-Headers").Single(),
                StringComparison.Ordinal);
            Assert.Equal("Origin", answer.Headers.GetValues("Vary").Single());
        });
        Assert.StartsWith(
            "Bearer realm=\"https://registry.test/token\"", unauthorized.Headers.WwwAuthenticate.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Origin_ThatIsRepeated_IsNobodys()
    {
        var answer = await _gateway.SendRawAsync(
            $"GET {Manifest} HTTP/1.1\r\nHost: registry.test\r\nOrigin: {Ui}\r\nOrigin: {Ui}\r\n"
            + $"Authorization: {TestGateway.Basic("alice")}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nVary: Origin\r\n", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Access-Control", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", Evil, null, 403)]
    [InlineData("POST", Ui, null, 403)] // allowed, but cors.credentials is false
    [InlineData("POST", null, "cross-site", 403)]
    [InlineData("POST", null, "same-site", 403)]
    [InlineData("POST", "https://registry.test", "same-origin", 202)]
    [InlineData("POST", null, null, 202)] // docker and its like
    [InlineData("GET", Evil, "cross-site", 200)] // changes nothing, and the page cannot read it
    public async Task Registry_PasswordThatABrowserMayHaveAdded_StartsNothingForAPage(
        string method, string? origin, string? site, int status)
    {
        _upstream.Respond = static context =>
        {
            if (context.Request.Method == "GET")
            {
                return Task.CompletedTask;
            }

            context.Response.StatusCode = 202;
            context.Response.Headers.Location = "/v2/team-a/app/blobs/uploads/7e0ac2a4-3b60-4d43-8a3c-0d8a1ac51c2f";
            return Task.CompletedTask;
        };
        (string Name, string? Value)[] headers = [("Origin", origin), ("Sec-Fetch-Site", site)];

        using var answer = await _gateway.SendAsync(
            new HttpMethod(method),
            method == "POST" ? "/v2/team-a/app/blobs/uploads/" : Manifest,
            "alice",
            headers: [
                .. headers.Where(static header => header.Value is not null).Select(
                    static header => (header.Name, header.Value!)),
            ]);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(status == 403 ? 0 : 1, _upstream.Requests.Count);
    }

    [Fact]
    public async Task TokenApi_AllowedPage_IsServedAndAnotherIsNot()
    {
        using var made = await MakeTokenAsync(_gateway, Ui);
        using var refused = await MakeTokenAsync(_gateway, Evil);
        using var listed = await _gateway.SendAsync(
            HttpMethod.Get, "/api/v1/tokens", "alice", headers: [("Origin", Ui), ("Sec-Fetch-Site", "cross-site")]);
        using var embedded = await _gateway.SendAsync(
            HttpMethod.Get, "/api/v1/tokens", "alice", headers: ("Sec-Fetch-Site", "cross-site"));

        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.False(refused.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(HttpStatusCode.OK, listed.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, embedded.StatusCode); // whose page it is cannot be known
    }

    [Fact]
    public async Task TokenApi_FormOfAnAllowedPage_IsNotJsonAndChangesNothing()
    {
        using var form = new StringContent("{\"name\":\"x\"}", Encoding.UTF8, "text/plain");

        using var answer = await _gateway.SendAsync(HttpMethod.Post, "/api/v1/tokens", "alice", form, ("Origin", Ui));

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    }

    internal static Task<HttpResponseMessage> MakeTokenAsync(TestGateway gateway, string origin) => gateway.SendAsync(
        HttpMethod.Post,
        "/api/v1/tokens",
        "alice",
        new StringContent(
            """{"name": "from a page", "scopes": ["team-a/**:pull"]}""", Encoding.UTF8, "application/json"),
        ("Origin", origin));

    internal static string CorsHeaders(HttpResponseMessage answer) => string.Concat(answer.Headers
        .Where(
            static header => header.Key == "Vary"
                || header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase))
        .OrderBy(static header => header.Key, StringComparer.Ordinal)
        .Select(static header => $"{header.Key}: {string.Join(", ", header.Value)}\n"));

    private Task<HttpResponseMessage> PreflightAsync(string target, string origin, string method, string headers) =>
        _gateway.SendAsync(
            HttpMethod.Options,
            target,
            headers: [
                ("Origin", origin), ("Access-Control-Request-Method", method),
                ("Access-Control-Request-Headers", headers),
            ]);
}
