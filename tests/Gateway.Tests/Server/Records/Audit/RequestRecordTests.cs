using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Server.Records.Audit;

/// <summary>One line for every decision, with everything that was known of it.</summary>
public sealed class RequestRecordTests : IAsyncLifetime
{
    private const string Digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
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
    public async Task Pull_Allowed_NamesWhoWhatRuleAndDigest()
    {
        _upstream.Respond = static context =>
        {
            context.Response.Headers["Docker-Content-Digest"] = Digest;
            context.Response.ContentType = "application/vnd.oci.image.manifest.v1+json";
            return context.Response.WriteAsync("{\"manifest\":1}");
        };

        using var answer = await _gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/manifests/v1", "alice", null, ("User-Agent", "docker/27.1"));
        var body = await answer.Content.ReadAsStringAsync();
        var line = await AuditRecords.OfAsync(_gateway, answer);

        Assert.Equal("{\"manifest\":1}", body);
        Assert.Equal("registry", line.Text("event"));
        Assert.Equal("1", line.Text("v"));
        Assert.Equal("allow", line.Text("decision"));
        Assert.Equal("user:alice", line.Text("subject"));
        Assert.Equal("htpasswd", line.Text("signIn.method"));
        Assert.Equal("password", line.Text("signIn.form"));
        Assert.Equal("accepted", line.Text("signIn.outcome"));
        Assert.Equal("127.0.0.1", line.Text("address"));
        Assert.Equal("readManifest", line.Text("operation"));
        Assert.Equal("main", line.Text("registry"));
        Assert.Equal("team-a/app", line.Text("repository"));
        Assert.Equal("v1", line.Text("reference"));
        Assert.Equal(Digest, line.Text("digest"));
        Assert.Equal("team-a writes", line.Text("rule.name"));
        Assert.Equal("policy.yaml", line.Text("rule.file"));
        Assert.Equal("200", line.Text("status"));
        Assert.Equal("14", line.Text("bytesOut"));
        Assert.Equal("docker/27.1", line.Text("userAgent"));
        Assert.True(line.GetProperty("durationMs").GetDouble() > 0);
        Assert.Null(line.Text("aborted"));
        Assert.Null(line.Text("error"));
    }

    [Fact]
    public async Task Push_OfAManifest_CountsTheBytesReceived()
    {
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = StatusCodes.Status201Created;
            context.Response.Headers["Docker-Content-Digest"] = Digest;
            return Task.CompletedTask;
        };
        var content = new ByteArrayContent(new byte[1000]);
        content.Headers.ContentType = new("application/vnd.oci.image.manifest.v1+json");

        using var answer = await _gateway.SendAsync(HttpMethod.Put, "/v2/team-a/app/manifests/v1", "alice", content);
        var line = await AuditRecords.OfAsync(_gateway, answer);

        Assert.Equal("putManifest", line.Text("operation"));
        Assert.Equal("1000", line.Text("bytesIn"));
        Assert.Equal("0", line.Text("bytesOut"));
        Assert.Equal(Digest, line.Text("digest"));
        Assert.Equal("201", line.Text("status"));
    }

    [Theory]
    [InlineData("GET", "/v2/secret/app/manifests/v1", "bob", "deny", "403", "DENIED")]
    [InlineData("GET", "/v2/secret/app/manifests/v1", null, "challenge", "401", "UNAUTHORIZED")]
    [InlineData("GET", "/v2/", null, "challenge", "401", "UNAUTHORIZED")]
    [InlineData("GET", "/v2/", "bob", "allow", "200", null)]
    [InlineData("GET", "/v2/UPPER/manifests/v1", "bob", "refuse", "400", "NAME_INVALID")]
    [InlineData("GET", "/nowhere", "bob", "refuse", "404", "UNSUPPORTED")]
    [InlineData("GET", "/.well-known/jwks.json", null, "public", "200", null)]
    [InlineData("GET", "/v2/public/app/tags/list", null, "challenge", "401", "UNAUTHORIZED")]
    [InlineData("GET", "/v2/public/app/tags/list", TestGateway.Nobody, "allow", "200", null)]
    [InlineData("GET", "/api/v1/tokens", "bob", "allow", "200", null)]
    [InlineData("GET", "/api/v1/tokens?owner=user:alice", "bob", "deny", "403", "DENIED")]
    public async Task Decision_OfEachKind_HasItsWord(
        string method, string target, string? user, string decision, string status, string? code)
    {
        using var answer = await _gateway.SendAsync(new HttpMethod(method), target, user);
        var line = await AuditRecords.OfAsync(_gateway, answer);

        Assert.Equal((decision, status, code), (line.Text("decision"), line.Text("status"), line.Text("error.code")));
    }

    [Fact]
    public async Task SignIn_WrongPassword_HasNameAndReasonAndNotThePassword()
    {
        using var answer = await _gateway.SendAsync(
            HttpMethod.Get, "/token?service=registry.test&account=alice", null, null, ("Authorization", "Basic "
                + Convert.ToBase64String("alice:wrong-Secret-77"u8)));
        var line = await AuditRecords.OfAsync(_gateway, answer);

        Assert.Equal("token", line.Text("event"));
        Assert.Equal("challenge", line.Text("decision"));
        Assert.Equal("alice", line.Text("signIn.userName"));
        Assert.Equal("refused", line.Text("signIn.outcome"));
        Assert.Equal("wrong password", line.Text("signIn.reason"));
        Assert.Null(line.Text("subject"));
        Assert.DoesNotContain(
            "wrong-Secret-77", await File.ReadAllTextAsync(AuditRecords.FileOf(_gateway)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_Granted_HasAskedAndGranted()
    {
        using var answer = await _gateway.SendAsync(
            HttpMethod.Get,
            "/token?service=registry.test&scope=repository:team-a/app:pull,push,delete&scope=repository:x/y:pull",
            "alice");
        var token = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement
            .GetProperty("token")
            .GetString()!;
        var line = await AuditRecords.OfAsync(_gateway, answer);

        Assert.Equal("allow", line.Text("decision"));
        Assert.Equal("user:alice", line.Text("subject"));
        Assert.Equal("""["repository:team-a/app:pull,push,delete","repository:x/y:pull"]""", line.Text("grant.asked"));
        Assert.Equal("""["repository:team-a/app:pull,push"]""", line.Text("grant.granted"));
        Assert.Equal("false", line.Text("grant.refreshToken"));
        Assert.DoesNotContain(
            token, await File.ReadAllTextAsync(AuditRecords.FileOf(_gateway)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limit_UsedUp_IsNamed()
    {
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, change: static options => options.Limits.Rules =
        [
            new LimitRuleOptions
            {
                Name = "one-pull",
                Classes = [LimitClass.Pull],
                Rate = 1,
                Window = TimeSpan.FromHours(1),
            },
        ]);
        using var first = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", "alice");
        using var second = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", "alice");
        var line = await AuditRecords.OfAsync(gateway, second);

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(("limit", "one-pull", "429", "TOOMANYREQUESTS", "user:alice"), (
            line.Text("decision"), line.Text("limit"), line.Text("status"), line.Text("error.code"),
            line.Text("subject")));
    }

    [Fact]
    public async Task Health_IsAsked_LeavesNoLine()
    {
        using var health = await _gateway.SendAsync(HttpMethod.Get, "/readyz");
        using var ping = await _gateway.SendAsync(HttpMethod.Get, "/v2/", "bob");
        await AuditRecords.OfAsync(_gateway, ping);

        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        Assert.DoesNotContain(
            "readyz", await File.ReadAllTextAsync(AuditRecords.FileOf(_gateway)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Download_ThatTheUpstreamBreaksOff_IsMarked()
    {
        var received = new TaskCompletionSource();
        _upstream.Respond = async context =>
        {
            context.Response.ContentLength = 1_000_000;
            await context.Response.Body.WriteAsync(new byte[10_000]);
            await context.Response.Body.FlushAsync();
            await received.Task;
            context.Abort();
        };

        using var answer = await _gateway.SendAsync(HttpMethod.Get, $"/v2/team-a/app/blobs/{Digest}", "alice");
        received.SetResult();
        await Assert.ThrowsAnyAsync<Exception>(answer.Content.ReadAsByteArrayAsync);
        var line = await AuditRecords.OfAsync(_gateway, answer);

        Assert.Equal("true", line.Text("aborted"));
        Assert.True(line.GetProperty("bytesOut").GetInt64() < 1_000_000);
    }

    [Fact]
    public async Task Line_WithHostileText_StaysOneLineOfPlainCharacters()
    {
        // Everything here that a client can choose: line breaks are refused by HTTP itself, what is left is tried.
        var hostile = "x\u2028\u2029\u202E\uFEFF\",\"decision\":\"allow\",\"subject\":\"user:admin";
        var raw = await _gateway.SendRawAsync(
            "GET /v2/%0a{\"decision\":\"allow\"}%e2%80%a8/manifests/x HTTP/1.1\r\nHost: registry.test\r\nUser-Agent: "
            + Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(hostile)) + new string('u', 5000)
            + "\r\nAuthorization: Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(hostile + ":pw"))
            + "\r\nConnection: close\r\n\r\n");
        var id = raw.Split("X-Request-Id: ")[1][..16];
        var line = await AuditRecords.FindAsync(_gateway, line => line.Text("requestId") == id);
        var text = await File.ReadAllTextAsync(AuditRecords.FileOf(_gateway));

        Assert.Equal("refuse", line.Text("decision"));
        Assert.True(line.Text("userAgent")!.Length <= 257);
        Assert.All(text.Where(static c => c != '\n'), static c => Assert.InRange(c, ' ', '~'));
        Assert.All(text.TrimEnd('\n').Split('\n'), static one => Assert.Single(
            JsonDocument.Parse(one).RootElement.EnumerateObject(), static member => member.Name == "event"));
    }
}
