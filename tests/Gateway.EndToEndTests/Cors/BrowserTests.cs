using System.Text;
using Gateway.EndToEndTests.Support;
using Microsoft.Playwright;

namespace Gateway.EndToEndTests.Cors;

/// <summary>
/// Pages of other origins in a real Chromium, before the real gateway and registry: <c>credentials: false</c>.
/// </summary>
[Collection(BrowserMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class BrowserTests(Chromium chromium) : IAsyncLifetime
{
    private const string Tags = "/v2/team-a/app/tags/list";
    private const string Manifest = "/v2/team-a/app/manifests/";
    private const string Alice = "alice-password-1";

    private static readonly Dictionary<string, string> NoHeaders = [];

    private static readonly Dictionary<string, string> AcceptManifest = new()
    {
        ["Accept"] = "application/vnd.oci.image.manifest.v1+json",
    };

    private CorsStage _stage = null!;
    private TestImage _image = null!;
    private IBrowserContext _profile = null!;
    private IPage _page = null!;

    public async Task InitializeAsync()
    {
        _stage = await CorsStage.StartAsync();
        _image = TestImage.Create(size: 1024);
        await _stage.Registry.PushAsync(_image, "team-a/app", "1");
        _profile = await chromium.NewProfileAsync();
        _page = await CorsStage.OpenAsync(_profile, _stage.AllowedOrigin);
    }

    public async Task DisposeAsync()
    {
        await _profile.DisposeAsync();
        _image.Dispose();
        await _stage.DisposeAsync();
    }

    [Fact]
    public async Task AllowedPage_SigningIn_ListsReadsAndDeletes()
    {
        var catalog = await SignedInAsync("GET", "/v2/_catalog?n=1000");
        var tags = await SignedInAsync("GET", Tags);
        var manifest = await SignedInAsync("GET", Manifest + "1", AcceptManifest);
        var deleted = await SignedInAsync("DELETE", Manifest + manifest.Headers["docker-content-digest"]);
        var gone = await SignedInAsync("GET", Manifest + "1", AcceptManifest);

        Assert.Equal((200, """{"repositories":["team-a/app"]}"""), (catalog.Status, catalog.Body.Trim()));
        Assert.Equal((200, """{"name":"team-a/app","tags":["1"]}"""), (tags.Status, tags.Body.Trim()));
        Assert.Equal((200, _image.ManifestDigest), (manifest.Status, manifest.Headers["docker-content-digest"]));
        Assert.Equal(202, deleted.Status);
        Assert.Equal(404, gone.Status);
        Assert.Contains("MANIFEST_UNKNOWN", gone.Body, StringComparison.Ordinal);
        Assert.Null(await _stage.Registry.DigestOfAsync("team-a/app", "1"));
    }

    [Fact]
    public async Task AllowedPage_BearerExchange_IsTheseRequests()
    {
        _stage.Take();

        await SignedInAsync("GET", Tags);

        // The first is simple, so that no preflight is asked; a header of the page's own needs one, each address its
        // own.
        Assert.Equal(
            [
                "GET /v2/team-a/app/tags/list -> 401",
                "OPTIONS /token?service=[host]&scope=repository:team-a/app:pull -> 204",
                "GET /token?service=[host]&scope=repository:team-a/app:pull basic(alice) -> 200",
                "OPTIONS /v2/team-a/app/tags/list -> 204",
                "GET /v2/team-a/app/tags/list bearer(alice team-a/app:pull) -> 200",
            ],
            _stage.Take().Lines);
    }

    [Fact]
    public async Task AllowedPage_Refusals_SayWhyAndByWhichRequest()
    {
        var unauthorized = await _stage.CallAsync(_page, "call", "GET", Tags);
        var wrong = await _stage.CallAsync(_page, "signedIn", "GET", Tags, NoHeaders, "alice", "wrong");
        var forbidden = await _stage.CallAsync(
            _page, "signedIn", "DELETE", Manifest + _image.ManifestDigest, NoHeaders, "bob", "bob-password-1");
        var unknown = await _stage.CallAsync(_page, "call", "GET", "/v2/team-a/app/nothing");

        Assert.Equal([401, 401, 403, 404], [unauthorized.Status, wrong.Status, forbidden.Status, unknown.Status]);
        Assert.StartsWith(
            $"Bearer realm=\"{_stage.Origin}/token\"", unauthorized.Headers["www-authenticate"],
            StringComparison.Ordinal);
        Assert.Contains("authentication failed", wrong.Body, StringComparison.Ordinal);
        Assert.Contains("may not delete", forbidden.Body, StringComparison.Ordinal);
        Assert.All([unauthorized, wrong, forbidden, unknown], static answer =>
            Assert.Contains(answer.Headers["x-request-id"], answer.Body, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AllowedPage_TokenApi_MakesAndListsTokens()
    {
        var headers = new Dictionary<string, string>
        {
            ["Authorization"] = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:{Alice}")),
            ["Content-Type"] = "application/json",
        };

        var made = await _stage.CallAsync(
            _page, "call", "POST", "/api/v1/tokens", headers, "omit",
            """{"name": "laptop", "scopes": ["team-a/**:pull"]}""");
        var listed = await _stage.CallAsync(_page, "call", "GET", "/api/v1/tokens", headers);

        Assert.Equal((201, 200), (made.Status, listed.Status));
        Assert.Contains("\"laptop\"", listed.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http", "other.gateway.test")]
    [InlineData("https", "other.gateway.test")]
    [InlineData("http", "ui.gateway.test.evil.gateway.test")]
    [InlineData("http", "localhost")]
    public async Task OtherPage_Everything_IsKeptFromIt(string scheme, string host)
    {
        var page = await CorsStage.OpenAsync(_profile, _stage.OriginOf(scheme, host));
        var basic = new Dictionary<string, string>
        {
            ["Authorization"] = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:{Alice}")),
        };
        _stage.Take();

        PageAnswer[] answers =
        [
            await _stage.CallAsync(page, "signedIn", "GET", "/v2/_catalog", NoHeaders, "alice", Alice),
            await _stage.CallAsync(page, "signedIn", "GET", Tags, NoHeaders, "alice", Alice),
            await _stage.CallAsync(page, "call", "GET", Tags, basic),
            await _stage.CallAsync(page, "call", "GET", Manifest + "1", basic),
            await _stage.CallAsync(page, "call", "DELETE", Manifest + _image.ManifestDigest, basic),
            await _stage.CallAsync(page, "call", "GET", "/token?scope=repository:team-a/app:pull", basic),
            await _stage.CallAsync(page, "call", "GET", "/token"),
            await _stage.CallAsync(page, "call", "GET", "/api/v1/tokens", basic),
        ];

        Assert.All(answers, static answer => Assert.True(answer.IsRefused, answer.ToString()));
        var requests = _stage.Take();
        Assert.DoesNotContain(requests, static request => request.Method == "DELETE");
        // preflights got no leave to send them
        Assert.All(requests, static request => Assert.Empty(request.Authorization));
        Assert.Equal(_image.ManifestDigest, await _stage.Registry.DigestOfAsync("team-a/app", "1"));
    }

    [Fact]
    public async Task AllowedPage_WithCredentialsOfTheBrowser_CannotUseThem()
    {
        await using var profile = await chromium.NewProfileAsync(_stage.Person("alice"));
        var page = await CorsStage.OpenAsync(profile, _stage.AllowedOriginOfSameSite);
        var json = new Dictionary<string, string> { ["Content-Type"] = "application/json" };
        _stage.Take();

        PageAnswer[] answers =
        [
            await _stage.CallAsync(page, "call", "GET", "/v2/_catalog", NoHeaders, "include"),
            await _stage.CallAsync(page, "call", "GET", "/api/v1/tokens", NoHeaders, "include"),
            await _stage.CallAsync(page, "call", "GET", "/token?offline_token=true", NoHeaders, "include"),
            await _stage.CallAsync(page, "call", "DELETE", Manifest + _image.ManifestDigest, NoHeaders, "include"),
            await _stage.CallAsync(
                page, "call", "POST", "/api/v1/tokens", json, "include",
                """{"name": "x", "scopes": ["team-a/**:pull"]}"""),
        ];
        var omitted = await _stage.CallAsync(
            page, "call", "POST", "/api/v1/tokens", json, "omit", """{"name": "x", "scopes": ["team-a/**:pull"]}""");

        Assert.All(answers, static answer => Assert.True(answer.IsRefused, answer.ToString()));
        Assert.Equal(401, omitted.Status); // the neighbour: without them it may ask, and is nobody
        var requests = _stage.Take();
        Assert.Contains(requests, static request => request.Authorization.Length > 0); // sent, and nothing of it shown
        Assert.DoesNotContain(
            requests, static request => request.Method is "POST" or "DELETE" && request.Authorization.Length > 0);
        Assert.Equal(_image.ManifestDigest, await _stage.Registry.DigestOfAsync("team-a/app", "1"));
    }

    [Theory]
    [InlineData("other.gateway.test")]
    [InlineData("ui.gateway.test")] // allowed, but not to use the browser's password
    public async Task Page_WithCredentialsOfTheBrowser_CannotPostWithoutAsking(string host)
    {
        await using var profile = await chromium.NewProfileAsync(_stage.Person("alice"));
        var page = await CorsStage.OpenAsync(profile, _stage.OriginOf("https", host));
        await _stage.CallAsync(page, "call", "GET", "/token", NoHeaders, "include"); // the person answers the prompt
        _stage.Take();

        var answer = await _stage.CallAsync(
            page, "call", "POST", "/v2/team-a/app/blobs/uploads/", NoHeaders, "include");

        // No preflight (Fetch standard, "CORS-safelisted method"), and the browser adds the password: refused here.
        Assert.Equal(["POST /v2/team-a/app/blobs/uploads/ basic(alice) -> 403"], _stage.Take().Lines);
        Assert.True(answer.IsRefused, answer.ToString());
    }

    private Task<PageAnswer> SignedInAsync(string method, string target, Dictionary<string, string>? headers = null) =>
        _stage.CallAsync(_page, "signedIn", method, target, headers ?? NoHeaders, "alice", Alice);
}
