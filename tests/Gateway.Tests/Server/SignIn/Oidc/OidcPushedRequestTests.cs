using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Tests.Server.SignIn.Oidc;

/// <summary>Pushed authorization requests (RFC 9126), and a sign-in that cannot start.</summary>
public sealed class OidcPushedRequestTests : IAsyncLifetime
{
    private const string Endpoint = "pushed_authorization_request_endpoint";
    private const string Required = "require_pushed_authorization_requests";

    private OidcStage _stage = null!;
    private TestGateway _gateway = null!;
    private (int Status, string Body) _answer = (201, """{"request_uri":"urn:example:1 &x","expires_in":60}""");
    private IFormCollection? _pushed;
    private string _authorization = "";
    private int _pushes;

    public async Task InitializeAsync()
    {
        _stage = await OidcStage.StartAsync();
        _stage.Issuer.Endpoints["/par"] = async context =>
        {
            Interlocked.Increment(ref _pushes);
            _pushed = await context.Request.ReadFormAsync();
            _authorization = context.Request.Headers.Authorization.ToString();
            context.Response.StatusCode = _answer.Status;
            context.Response.Headers.Location = _answer.Status == 302 ? "/keys" : default;
            await context.Response.WriteAsync(_answer.Body);
        };
    }

    public async Task DisposeAsync() => await _stage.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Offered_TheBrowserBringsTheReferenceAlone(bool isRequired)
    {
        await StartAsync(isRequired);
        var browser = _stage.NewBrowser(_gateway);
        var begun = await browser.GetAsync("/sign-in/corp");

        Assert.Equal(HttpStatusCode.Redirect, begun.StatusCode);
        var asked = QueryHelpers.ParseQuery(begun.Headers.Location!.Query);
        Assert.Equal(["client_id", "request_uri"], asked.Keys.Order());
        Assert.Equal(("gateway", "urn:example:1 &x"), (asked["client_id"].ToString(), asked["request_uri"].ToString()));
        Assert.Equal(
            "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("gateway:client+secret")), _authorization);
        Assert.Equal(
            [
                "client_id", "code_challenge", "code_challenge_method", "nonce", "prompt", "redirect_uri",
                "response_type", "scope", "state",
            ],
            _pushed!.Keys.Order());
        Assert.All(_pushed, static one => Assert.Single(one.Value));

        _stage.Nonce = _pushed["nonce"];
        var done = await browser.GetAsync(
            $"/sign-in/corp/callback?code=abc&state={Uri.EscapeDataString(_pushed["state"]!)}");
        Assert.Equal(HttpStatusCode.SeeOther, done.StatusCode);
        Assert.Contains("__Host-session", browser.Cookies.Keys);
    }

    [Fact]
    public async Task ProviderThatTakesTheFormAlone_GetsTheSecretThereOnce()
    {
        _stage.Issuer.MoreOfDocument["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post");
        await StartAsync(isRequired: true);
        Assert.Equal(HttpStatusCode.Redirect, (await _stage.NewBrowser(_gateway).GetAsync("/sign-in/corp")).StatusCode);
        Assert.Equal("gateway", _pushed!["client_id"]);
        Assert.Equal("client secret", _pushed["client_secret"]);
        Assert.Empty(_authorization);
    }

    public static TheoryData<int, string, string> Failures => new()
    {
        { 400, """{"error":"invalid_request","error_description":"uri"}""", "does not accept this registry" },
        { 401, """{"error":"invalid_client"}""", "client secret" },
        { 201, """{"expires_in":60}""", "without a request_uri" },
        { 201, """{"request_uri":""}""", "without a request_uri" },
        { 201, """{"request_uri":["urn:a"]}""", "without a request_uri" },
        { 201, "<html>", "with a JSON object" },
        { 302, "", "answered 302" },
        { 404, "not here", "answered 404" },
        { 500, """{"error":"server_error"}""", "answered 500" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Required_PushFails_PageOfOursNamesTheCause(int status, string body, string told)
    {
        await StartAsync(isRequired: true);
        var (good, browser) = (_answer, _stage.NewBrowser(_gateway));
        _answer = (status, body);

        await AssertNotStartedAsync(browser, told);

        _answer = good;
        Assert.Equal(HttpStatusCode.Redirect, (await browser.GetAsync("/sign-in/corp")).StatusCode);
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Offered_PushFails_SignInGoesOnWithoutAndTriesAgainLater(int status, string body, string told)
    {
        await StartAsync(isRequired: false);
        var (good, browser) = (_answer, _stage.NewBrowser(_gateway));
        _answer = (status, body);
        Assert.NotEmpty(told);

        Assert.Equal(HttpStatusCode.SeeOther, (await _stage.SignInAsync(browser)).StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, (await _stage.SignInAsync(browser)).StatusCode);

        Assert.Equal(1, _pushes); // not each time
        Assert.Contains(_stage.Log.Lines, static line => line.Contains(
            "oidc:corp: a sign-in request could not be pushed to the provider", StringComparison.Ordinal));
        _answer = good;
        _stage.Clock.AdvanceMeasured(TimeSpan.FromSeconds(31));
        var again = await browser.GetAsync("/sign-in/corp");
        Assert.Contains("request_uri=", again.Headers.Location!.Query, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("http://provider.example/par")]
    [InlineData("not an address")]
    public async Task Required_WithoutASafeEndpoint_NothingIsSent(string? endpoint)
    {
        _stage.Issuer.MoreOfDocument[Required] = true;
        if (endpoint is not null)
        {
            _stage.Issuer.MoreOfDocument[Endpoint] = endpoint;
        }

        _gateway = await _stage.AddGatewayAsync();
        await AssertNotStartedAsync(_stage.NewBrowser(_gateway), "names no safe pushed_authorization_request_endpoint");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ProviderDiesBeforeTheChallenge_PageOfOurs(bool isKnown)
    {
        await StartAsync(isRequired: true);
        var browser = _stage.NewBrowser(_gateway);
        if (isKnown)
        {
            Assert.Equal(HttpStatusCode.Redirect, (await browser.GetAsync("/sign-in/corp")).StatusCode);
        }
        else
        {
            _gateway = await _stage.AddGatewayAsync(); // which has not seen it
            browser = _stage.NewBrowser(_gateway);
        }

        await _stage.Issuer.DisposeAsync();
        browser.Cookies.Clear();
        await AssertNotStartedAsync(browser, "corp is unavailable to this registry at the moment");
    }

    [Fact]
    public async Task ManyAtOnce_AskTheProviderNoMoreThanItsShare()
    {
        await StartAsync(isRequired: false);
        var (open, count) = (new TaskCompletionSource(), 0);
        _stage.Issuer.Endpoints["/par"] = async context =>
        {
            Interlocked.Increment(ref count);
            await open.Task;
            await context.Response.WriteAsync(_answer.Body);
        };
        var waiting = Enumerable.Range(0, 32)
            .Select(_ => _stage.NewBrowser(_gateway).GetAsync("/sign-in/corp")).ToList();
        await Eventually.TrueAsync(() => Task.FromResult(Volatile.Read(ref count) == 32), TimeSpan.FromSeconds(9));

        var another = await _stage.NewBrowser(_gateway).GetAsync("/sign-in/corp");

        Assert.Contains("code_challenge=", another.Headers.Location!.Query, StringComparison.Ordinal);
        open.SetResult();
        Assert.All(await Task.WhenAll(waiting), static one =>
            Assert.Contains("request_uri=", one.Headers.Location!.Query, StringComparison.Ordinal));
        Assert.Equal(32, count);
    }

    private async Task StartAsync(bool isRequired)
    {
        _stage.Issuer.MoreOfDocument[Endpoint] = _stage.Issuer.Url + "/par";
        _stage.Issuer.MoreOfDocument[Required] = isRequired;
        _gateway = await _stage.AddGatewayAsync(); // reads the document anew
    }

    private async Task AssertNotStartedAsync(TestBrowser browser, string told)
    {
        var answer = await browser.GetAsync("/sign-in/corp");
        var page = await answer.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains(told, page, StringComparison.Ordinal);
        Assert.Contains("Request ", page, StringComparison.Ordinal);
        Assert.Empty(browser.Cookies);
        Assert.Null(answer.Headers.Location);
        Assert.Contains(_stage.Log.Lines, static line => line.Contains(
            "a sign-in through oidc:corp could not be started", StringComparison.Ordinal));
    }
}
