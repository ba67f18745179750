using System.Net;
using Gateway.Server.Requests.Cors;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Requests.Cors;

/// <summary>The same requests under other settings of <c>cors</c>.</summary>
public sealed class CorsPolicyTests : IAsyncLifetime
{
    private const string Ui = "http://localhost:8080";
    private const string Evil = "https://evil.test";
    private const string Login = "/token?service=registry.test&offline_token=true";

    private RecordingUpstream _upstream = null!;

    public async Task InitializeAsync() => _upstream = await RecordingUpstream.StartAsync();

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    [Theory]
    [InlineData("GET", "/v2/_catalog")]
    [InlineData("GET", "/token?service=registry.test")]
    [InlineData("GET", "/api/v1/tokens")]
    public async Task Off_AsItIsUnlessSet_AnswersAsIfThereWereNoCors(string method, string target)
    {
        await using var gateway = await StartAsync(new CorsOptions());

        using var preflight = await PreflightAsync(gateway, target);
        using var answer = await gateway.SendAsync(new HttpMethod(method), target, "alice", headers: ("Origin", Ui));

        Assert.Equal(HttpStatusCode.MethodNotAllowed, preflight.StatusCode);
        Assert.Equal("", CorsTests.CorsHeaders(preflight));
        Assert.Equal("", CorsTests.CorsHeaders(answer));
    }

    [Fact]
    public async Task Settings_All_ReachTheBrowser()
    {
        await using var gateway = await StartAsync(new CorsOptions
        {
            Origins = [Ui],
            Credentials = true,
            Methods = ["GET", "HEAD"],
            Headers = ["Authorization"],
            ExposedHeaders = ["Docker-Content-Digest", "Link"],
            MaxAge = TimeSpan.Zero,
        });

        using var preflight = await PreflightAsync(gateway, "/v2/");
        using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/", "alice", headers: ("Origin", Ui));

        Assert.Equal(
            """
            Access-Control-Allow-Credentials: true
            Access-Control-Allow-Headers: Authorization
            Access-Control-Allow-Methods: GET,HEAD
            Access-Control-Allow-Origin: http://localhost:8080
            Access-Control-Max-Age: 0
            Vary: Origin

            """,
            CorsTests.CorsHeaders(preflight));
        Assert.Equal(
            """
            Access-Control-Allow-Credentials: true
            Access-Control-Allow-Origin: http://localhost:8080
            Access-Control-Expose-Headers: Docker-Content-Digest,Link
            Vary: Origin

            """,
            CorsTests.CorsHeaders(answer));
    }

    [Fact]
    public async Task EveryOrigin_IsAnsweredWithAStarAndNeverWithCredentials()
    {
        await using var gateway = await StartAsync(new CorsOptions { Origins = ["*"] });

        using var preflight = await PreflightAsync(gateway, "/v2/", Evil);
        using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/", headers: ("Origin", "null"));

        foreach (var headers in new[] { preflight.Headers, answer.Headers })
        {
            Assert.Equal("*", headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.Equal("Origin", headers.GetValues("Vary").Single());
            Assert.False(headers.Contains("Access-Control-Allow-Credentials"));
        }
    }

    [Theory]
    [InlineData(true, Ui, true)]
    [InlineData(true, Evil, false)]
    [InlineData(false, Ui, false)] // the browser may have added the credentials, and no preflight is asked for a GET
    [InlineData(false, "https://registry.test", true)]
    public async Task RefreshToken_ByAPage_NeedsLeaveToUseTheBrowsersCredentials(
        bool credentials, string origin, bool given)
    {
        await using var gateway = await StartAsync(
            new CorsOptions { Origins = [Ui], Credentials = credentials }, refreshTokens: true);

        using var answer = await gateway.SendAsync(HttpMethod.Get, Login, "alice", headers: ("Origin", origin));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(
            given, (await answer.Content.ReadAsStringAsync()).Contains("refresh_token", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TokenApi_UnderEveryOrigin_ServesPagesAndSaysNothingOfCredentials()
    {
        await using var gateway = await StartAsync(new CorsOptions { Origins = ["*"] });

        using var made = await CorsTests.MakeTokenAsync(gateway, Evil);
        using var preflight = await PreflightAsync(gateway, "/api/v1/tokens", Evil);

        // it had the password itself: no browser sends its own here
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.False(preflight.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    private static Task<HttpResponseMessage> PreflightAsync(TestGateway gateway, string target, string origin = Ui) =>
        gateway.SendAsync(
            HttpMethod.Options, target, headers: [("Origin", origin), ("Access-Control-Request-Method", "GET")]);

    private Task<TestGateway> StartAsync(CorsOptions cors, bool refreshTokens = false) => TestGateway.StartAsync(
        _upstream.Address,
        change: options =>
        {
            options.Cors = cors;
            options.Tokens.RefreshTokens = refreshTokens;
        });
}
