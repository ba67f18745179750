using System.Text.Json.Nodes;
using Gateway.EndToEndTests.Support;
using Microsoft.Playwright;

namespace Gateway.EndToEndTests.Cors;

/// <summary>
/// The requests of docker-registry-ui 2.6 (Joxit), as its sources make them, in a real Chromium: it has no form to sign
/// in with and leaves that to the browser, which needs <c>credentials: true</c>.
/// </summary>
/// <remarks>
/// <c>src/scripts/http.js</c>, <c>src/scripts/docker-image.js</c> and <c>src/components</c> of
/// github.com/Joxit/docker-registry-ui: catalog, tags, manifest and config of each tag, and a delete by the digest that
/// a GET by tag shows. With <c>REGISTRY_SECURED</c> every request has <c>withCredentials</c>, else the token's only.
/// </remarks>
[Collection(BrowserMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class RegistryUiTests(Chromium chromium) : IAsyncLifetime
{
    private const string Types = "application/vnd.docker.distribution.manifest.v2+json, "
        + "application/vnd.oci.image.manifest.v1+json";
    private const string DeleteTypes =
        Types + ", application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.index.v1+json";

    private const string ReadTypes =
        Types + ", application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json";

    private CorsStage _stage = null!;
    private TestImage _image = null!;

    public async Task InitializeAsync()
    {
        _stage = await CorsStage.StartAsync(", credentials: true");
        _image = TestImage.Create(size: 1024);
        await _stage.Registry.PushAsync(_image, "team-a/app", "1");
    }

    public async Task DisposeAsync()
    {
        _image.Dispose();
        await _stage.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // REGISTRY_SECURED
    public async Task Ui_OfAPersonWhoAnswersTheBrowsersPrompt_ShowsAndDeletesAnImage(bool secured)
    {
        await using var profile = await chromium.NewProfileAsync(_stage.Person("alice"));
        var page = await CorsStage.OpenAsync(profile, _stage.AllowedOriginOfSameSite);

        var catalog = await SendAsync(page, "GET", "/v2/_catalog?n=1000", secured);
        var tags = await SendAsync(page, "GET", "/v2/team-a/app/tags/list", secured);
        var manifest = await SendAsync(
            page, "GET", "/v2/team-a/app/manifests/1", secured, ("Accept", ReadTypes),
            ("Cache-Control", "no-store, no-cache"));
        var config = JsonNode.Parse(manifest.Body)!["config"]!["digest"]!;
        var blob = await SendAsync(page, "GET", $"/v2/team-a/app/blobs/{config}", secured, ("Accept", Types));
        var found = await SendAsync(page, "GET", "/v2/team-a/app/manifests/1", secured, ("Accept", DeleteTypes));
        var digest = found.Headers["docker-content-digest"];
        var deleted = await SendAsync(page, "DELETE", $"/v2/team-a/app/manifests/{digest}", secured, ("Accept", Types));

        Assert.Equal((200, """{"repositories":["team-a/app"]}"""), (catalog.Status, catalog.Body.Trim()));
        Assert.Equal((200, """{"name":"team-a/app","tags":["1"]}"""), (tags.Status, tags.Body.Trim()));
        Assert.Equal((200, _image.ManifestDigest), (manifest.Status, manifest.Headers["docker-content-digest"]));
        Assert.Equal(200, blob.Status);
        Assert.Contains("amd64", blob.Body, StringComparison.Ordinal);
        Assert.Equal(_image.ManifestDigest, digest);
        Assert.Equal(202, deleted.Status);
        Assert.Null(await _stage.Registry.DigestOfAsync("team-a/app", "1"));
    }

    [Fact]
    public async Task Ui_Delete_IsTheseRequests()
    {
        await using var profile = await chromium.NewProfileAsync(_stage.Person("alice"));
        var page = await CorsStage.OpenAsync(profile, _stage.AllowedOriginOfSameSite);
        _stage.Take();

        await SendAsync(
            page, "DELETE", $"/v2/team-a/app/manifests/{_image.ManifestDigest}", secured: false, ("Accept", Types));

        Assert.Equal(
            [
                "OPTIONS /v2/team-a/app/manifests/[digest] -> 204",
                "DELETE /v2/team-a/app/manifests/[digest] -> 401",
                "GET /token?service=[host]&scope=repository:team-a/app:delete -> 401", // the prompt
                "GET /token?service=[host]&scope=repository:team-a/app:delete basic(alice) -> 200",
                "OPTIONS /v2/team-a/app/manifests/[digest] -> 204",
                "DELETE /v2/team-a/app/manifests/[digest] bearer(alice team-a/app:delete) -> 202",
            ],
            _stage.Take().Lines);
    }

    // Once anything is public, the catalog's token could be given to nobody, and the browser would never be asked.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ui_WhereImagesArePublic_ShowsThePersonsAfterThePromptAndPublicOnesWithoutIt(bool secured)
    {
        await using var stage = await CorsStage.StartAsync(
            ", credentials: true",
            """  - { name: public, to: [ anonymous, authenticated ], role: reader, on: [ "public/**" ] }""");
        await stage.Registry.PushAsync(_image, "team-a/app", "1");
        await stage.Registry.PushAsync(_image, "public/app", "1");
        await using var alice = await chromium.NewProfileAsync(stage.Person("alice"));
        // typed once, then closed
        await using var nobody = await chromium.NewProfileAsync(stage.Person("alice", "wrong"));
        var signedIn = await CorsStage.OpenAsync(alice, stage.AllowedOriginOfSameSite);
        var anonymous = await CorsStage.OpenAsync(nobody, stage.AllowedOriginOfSameSite);
        Task<PageAnswer> Get(IPage page, string target) =>
            stage.CallAsync(page, "sendSignedIn", "GET", target, new Dictionary<string, string>(), secured);

        var catalog = await Get(signedIn, "/v2/_catalog?n=1000");
        var hers = await Get(signedIn, "/v2/team-a/app/tags/list");
        stage.Take();
        var publicTags = await Get(anonymous, "/v2/public/app/tags/list");
        var requests = stage.Take().Lines;
        var notAsked = await Get(anonymous, "/v2/_catalog?n=1000");
        var hidden = await Get(anonymous, "/v2/team-a/app/tags/list");

        Assert.Equal((200, """{"repositories":["public/app","team-a/app"]}"""), (catalog.Status, catalog.Body.Trim()));
        Assert.Equal((200, """{"name":"team-a/app","tags":["1"]}"""), (hers.Status, hers.Body.Trim()));
        Assert.Equal((200, """{"name":"public/app","tags":["1"]}"""), (publicTags.Status, publicTags.Body.Trim()));
        Assert.DoesNotContain(
            requests,
            static line => line.StartsWith("GET /token", StringComparison.Ordinal)
                && line.EndsWith("401", StringComparison.Ordinal));
        // Without a sign-in, what needs one is refused with its reason.
        Assert.Equal(401, notAsked.Status);
        Assert.Equal(401, hidden.Status);
    }

    [Fact]
    public async Task Ui_OfAPersonWithAWrongPassword_IsToldToSignIn()
    {
        await using var profile = await chromium.NewProfileAsync(_stage.Person("alice", "wrong"));
        var page = await CorsStage.OpenAsync(profile, _stage.AllowedOriginOfSameSite);

        var answer = await SendAsync(page, "GET", "/v2/team-a/app/tags/list", secured: false);

        // What opens the browser's prompt, and now again; the person gives up.
        Assert.Equal(
            (401, $"Basic realm=\"{new Uri(_stage.Origin).Authority}\""),
            (answer.Status, answer.Headers["www-authenticate"]));
    }

    [Fact]
    public async Task Ui_OnAnotherOrigin_GetsNothingOfThePersonsImages()
    {
        await using var profile = await chromium.NewProfileAsync(_stage.Person("alice"));
        var page = await CorsStage.OpenAsync(profile, _stage.OriginOf("https", "other.gateway.test"));
        _stage.Take();

        PageAnswer[] answers =
        [
            await SendAsync(page, "GET", "/v2/_catalog?n=1000", secured: false),
            await SendAsync(page, "GET", "/v2/_catalog?n=1000", secured: true),
            await SendAsync(page, "GET", "/v2/team-a/app/tags/list", secured: true),
            await SendAsync(
                page, "DELETE", $"/v2/team-a/app/manifests/{_image.ManifestDigest}", secured: true, ("Accept", Types)),
        ];

        Assert.All(answers, static answer => Assert.True(answer.IsRefused, answer.ToString()));
        Assert.DoesNotContain(_stage.Take(), static request => request.Method == "DELETE");
        Assert.Equal(_image.ManifestDigest, await _stage.Registry.DigestOfAsync("team-a/app", "1"));
    }

    private Task<PageAnswer> SendAsync(
        IPage page, string method, string target, bool secured, params (string Name, string Value)[] headers) =>
        _stage.CallAsync(
            page, "sendSignedIn", method, target, headers.ToDictionary(static h => h.Name, static h => h.Value),
            secured);
}
