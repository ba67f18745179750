using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Host.Hosting;

/// <summary>The plain listeners: one redirects, one answers health, and neither reaches a registry.</summary>
public sealed class ListenerTests : IAsyncLifetime
{
    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _gateway = await TestGateway.StartAsync(_upstream.Address, change: static options =>
        {
            options.Listen.Http = "127.0.0.1:0";
            options.Listen.HttpHealth = true;
            options.Listen.Management = "127.0.0.1:0";
        });
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData(
        "GET /v2/team-a/app/tags/list?n=5 HTTP/1.1", "registry.test", "308",
        "https://registry.test/v2/team-a/app/tags/list?n=5")]
    [InlineData("GET / HTTP/1.1", "registry.test:443", "308", "https://registry.test/")]
    [InlineData("GET //evil.example/ HTTP/1.1", "registry.test", "308", "https://registry.test//evil.example/")]
    [InlineData("GET /%0d%0aSet-Cookie:x HTTP/1.1", "registry.test", "308", "https://registry.test/%0D%0ASet-Cookie:x")]
    [InlineData("GET /@evil.example HTTP/1.1", "registry.test", "308", "https://registry.test/@evil.example")]
    [InlineData("GET http://registry.test/x HTTP/1.1", "registry.test", "308", "https://registry.test/x")]
    [InlineData("GET /v2/ HTTP/1.1", "evil.example", "308", "https://registry.test/v2/")]
    [InlineData("POST /v2/team-a/app/blobs/uploads/ HTTP/1.1", "registry.test", "400", null)]
    public async Task RedirectingListener_OnlyRedirectsToItsOwnHosts(
        string requestLine, string host, string status, string? location)
    {
        var answer = await SendPlainAsync(
            _gateway.PlainPorts[0], $"{requestLine}\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 " + status, answer, StringComparison.Ordinal);
        Assert.Equal(
            location,
            answer.Split("\r\n").FirstOrDefault(
                static l => l.StartsWith("Location: ", StringComparison.Ordinal))?["Location: ".Length..]);
        Assert.Empty(_upstream.Requests);
    }

    [Theory]
    [InlineData("GET /v2/ HTTP/1.1", "Authorization: Basic YWRtaW46YWRtaW4tcGFzc3dvcmQ=")]
    [InlineData("HEAD /v2/team-a/app/manifests/1 HTTP/1.1", "Authorization: Bearer abc")]
    [InlineData("GET /v2/ HTTP/1.1", "authorization: anything")]
    [InlineData("GET /v2/ HTTP/1.1", "Authorization:")]
    [InlineData("GET /v2/ HTTP/1.1", "Proxy-Authorization: Basic YWRtaW46YWRtaW4tcGFzc3dvcmQ=")]
    [InlineData("GET /v2/?access_token=abc HTTP/1.1", "X: y")]
    [InlineData("GET /token?service=registry.test&pass%77ord=abc HTTP/1.1", "X: y")]
    [InlineData("POST /token HTTP/1.1", "X: y")] // a form with the password
    [InlineData("PUT /v2/team-a/app/manifests/1 HTTP/1.1", "Authorization: Basic YWRtaW46YWRtaW4tcGFzc3dvcmQ=")]
    public async Task RedirectingListener_AskedWithCredentials_RefusesAndSaysThatTheyWentInTheClear(
        string requestLine, string header)
    {
        var answer = await SendPlainAsync(
            _gateway.PlainPorts[0],
            $"{requestLine}\r\nHost: registry.test\r\n{header}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Location:", answer, StringComparison.Ordinal);
        Assert.True(requestLine.StartsWith("HEAD", StringComparison.Ordinal) || answer.Contains(
            "this port only redirects; use https://registry.test. This request sent its password or token unencrypted",
            StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("GET /v2/?service=registry.test&n=5 HTTP/1.1", "Cookie: theme=dark", "308")] // nothing that is ours
    [InlineData("GET /token?service=registry.test HTTP/1.1", "Accept: */*", "308")]
    public async Task RedirectingListener_AskedWithoutCredentials_Redirects(
        string requestLine, string header, string status)
    {
        var answer = await SendPlainAsync(
            _gateway.PlainPorts[0], $"{requestLine}\r\nHost: registry.test\r\n{header}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 " + status, answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.0.0.1:8081", true)]
    [InlineData("203.0.113.7:8081", true)] // a pod's address, however it is reached
    [InlineData("[::1]:8081", true)]
    [InlineData("[fd00::7]", true)]
    [InlineData("localhost:8081", true)]
    [InlineData("LOCALHOST", true)]
    [InlineData("gateway:8081", true)] // listen.managementHosts
    [InlineData("registry.test:8081", true)] // publicUrl
    [InlineData("evil.example:8081", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("127.1", false)]
    [InlineData("gateway.evil.example", false)]
    [InlineData("localhost.", false)]
    public async Task Management_AskedByThisHost_TellsOnlyThoseOfOurs(string host, bool isOurs)
    {
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, change: static options =>
        {
            options.Listen.Management = "127.0.0.1:0";
            options.Listen.ManagementHosts = ["gateway"];
        });
        Task<string> Ask(string path) =>
            SendPlainAsync(gateway.PlainPorts[0], $"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");

        var metrics = await Ask("/metrics");
        var readiness = await Ask("/readyz");
        var life = await Ask("/healthz");

        Assert.StartsWith(isOurs ? "HTTP/1.1 200" : "HTTP/1.1 421", metrics, StringComparison.Ordinal);
        Assert.Equal(isOurs, metrics.Contains("gateway_", StringComparison.Ordinal));
        // Probes go on by any name; what the parts are is told to names of ours alone.
        Assert.StartsWith("HTTP/1.1 200", readiness, StringComparison.Ordinal);
        Assert.Contains("\"status\":\"ok\"}", readiness, StringComparison.Ordinal);
        Assert.Equal(isOurs, readiness.Contains("certificates", StringComparison.Ordinal));
        Assert.StartsWith("HTTP/1.1 200", life, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Management_AskedWithoutAHost_TellsIt()
    {
        // HTTP/1.0, as some load balancers ask; no browser does.
        var answer = await SendPlainAsync(_gateway.PlainPorts[1], "GET /readyz HTTP/1.0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Contains("certificates", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "/healthz", "200")]
    [InlineData(0, "/readyz", "200")]
    [InlineData(1, "/healthz", "200")]
    [InlineData(1, "/readyz", "200")]
    [InlineData(1, "/v2/", "404")]
    [InlineData(1, "/v2/team-a/app/tags/list", "404")]
    public async Task Health_IsAnsweredAndNothingElse(int listener, string path, string status)
    {
        var answer = await SendPlainAsync(
            _gateway.PlainPorts[listener],
            $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {TestGateway.Basic("admin")}\r\nConnection: "
                + "close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 " + status, answer, StringComparison.Ordinal);
        Assert.Empty(_upstream.Requests);
    }

    [Fact]
    public async Task ForwardedFor_FromAnybodyElse_IsIgnored()
    {
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, change: static options => options.TrustedProxies = ["192.0.2.1"]);

        using var answer = await gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/tags/list", "bob", null, ("X-Forwarded-For", "203.0.113.7"));

        Assert.Equal("127.0.0.1", Assert.Single(_upstream.Requests).Headers["X-Forwarded-For"]);
    }

    [Fact]
    public async Task Readiness_TellsOfARefusedReloadAndOfAnUpstreamThatIsDown()
    {
        await File.WriteAllTextAsync(_gateway.PolicyFile, "rules: [ broken");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        string answer;
        do
        {
            await Task.Delay(50, limit.Token);
            answer = await SendPlainAsync(
                _gateway.PlainPorts[1], "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        }
        while (!answer.Contains("the last good ones are in force", StringComparison.Ordinal));

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Contains("\"status\":\"degraded\"", answer, StringComparison.Ordinal);
        Assert.Contains("\"registries\":{\"main\":\"ok\"}", answer, StringComparison.Ordinal);
        Assert.Contains(
            "\"certificates\":[{\"name\":\"registry.test\",\"status\":\"ok\",\"expiresAt\":\"", answer,
            StringComparison.Ordinal);
        Assert.Contains("\"state\":\"ok\"", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("redis", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TlsListener_WithAManagementListener_AnswersNoHealth()
    {
        using var answer = await _gateway.SendAsync(HttpMethod.Get, "/healthz");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("198.51.100.1, 203.0.113.7", "203.0.113.7")] // the left part is the client's own claim
    [InlineData("not an address", "127.0.0.1")]
    [InlineData("203.0.113.7:51000", "203.0.113.7")] // as some load balancers write it
    [InlineData("[2001:db8::1]:443", "2001:db8::1")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7")] // one address has one form
    [InlineData("203.0.113.7, unknown", "127.0.0.1")]
    [InlineData("198.51.100.1, 127.0.0.9", "198.51.100.1")] // past a second listed proxy
    [InlineData("10.6.6.6, 203.0.113.7, 127.0.0.9", "203.0.113.7")]
    public async Task ForwardedFor_FromATrustedProxy_IsCountedFromTheRight(string header, string expected)
    {
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, change: static options => options.TrustedProxies = ["127.0.0.0/8"]);

        using var answer = await gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/tags/list", "bob", null, ("X-Forwarded-For", header));

        Assert.Equal(expected, Assert.Single(_upstream.Requests).Headers["X-Forwarded-For"]);
    }

    private static async Task<string> SendPlainAsync(int port, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}
