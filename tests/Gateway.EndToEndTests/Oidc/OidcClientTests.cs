using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Gateway.EndToEndTests.Clients;
using Gateway.EndToEndTests.Support;
using Microsoft.Playwright;

namespace Gateway.EndToEndTests.Oidc;

/// <summary>
/// A person in a real Chromium at two real providers' pages, and real clients with what he gets there. One provider is
/// killed, rotated and made to lie.
/// </summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed partial class OidcClientTests(ClientsFixture stack, DockerEngine engine, ClientChromium chromium)
    : IClassFixture<ClientChromium>, IAsyncLifetime
{
    private readonly TestImage _image = TestImage.Create(size: 1024);
    private readonly OidcProviderProcess _first = new("developers");
    private readonly OidcProviderProcess _second = new("others");
    private ClientGateway _gateway = null!;
    private IBrowserContext _profile = null!;

    private string Url => $"https://{_gateway.Authority}";

    public async Task InitializeAsync()
    {
        await OidcProviderProcess.InstallAsync();

        // Before its providers: one that is not there stops nothing.
        _gateway = await ClientGateway.StartAsync(stack.Host, new GatewaySettings
        {
            Upstream = stack.Registry.Address,
            Policy = ClientsFixture.Policy + "\n" + """
                  - { name: developers write, to: [ "group:developers" ], role: writer, on: [ "dev/**" ] }
                """,
            MoreAuthentication = $$"""
                , oidc: {
                  first: { issuer: "{{_first.Issuer}}", clientId: {{OidcProviderProcess.ClientId}},
                    clientSecret: "{{OidcProviderProcess.ClientSecret}}", revalidateEvery: 10s, adminGroup: nobody },
                  second: { issuer: "{{_second.Issuer}}", clientId: {{OidcProviderProcess.ClientId}},
                    clientSecret: "{{OidcProviderProcess.ClientSecret}}", names: qualified, revalidateEvery: 10s } }
                """,
            MoreYaml = "tokens: { refreshTokens: true }",
        });
        await _first.StartAsync("first", _gateway.Authority);
        await _second.StartAsync("second", _gateway.Authority, pushed: "required");
        using var client = _gateway.Process.CreateClient();
        foreach (var name in new[] { "first", "second" })
        {
            for (var i =
                0; (int)(await client.GetAsync(new Uri($"/sign-in/{name}", UriKind.Relative))).StatusCode != 302; i++)
            {
                Assert.True(i < 300, "the gateway has not found its provider");
                await Task.Delay(200);
            }
        }

        _profile = await chromium.NewProfileAsync();
        _profile.SetDefaultTimeout(15_000);
    }

    public async Task DisposeAsync()
    {
        await _profile.DisposeAsync();
        await _gateway.DisposeAsync();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        _image.Dispose();
    }

    [Fact]
    public async Task Person_SignsInAndMintsAToken_DockerAndPodmanUseIt_UntilTheProviderDisablesHim()
    {
        var page = await _profile.NewPageAsync();
        await SignInAsync(page, "first", "olga");
        Assert.Equal($"docker login {_gateway.Authority} -u olga", await page.InnerTextAsync("#login"));
        var token = await MintAsync(page);

        await using var docker = new DockerClient(_gateway, engine);
        var image = $"dev/oidc-{Guid.NewGuid():n}:1";
        (await docker.LoginAsync("olga", token)).Succeeded();
        (await docker.PushAsync(_image, image)).Succeeded();
        (await docker.PullAsync(image)).Succeeded();
        await using (var podman = new PodmanClient(_gateway, "podman"))
        {
            (await podman.LoginAsync("olga", token)).Succeeded();
            (await podman.PullAsync(image)).Succeeded();
        }

        // The provider is away: tokens go on, and the other provider is not held up.
        await _first.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(11));
        (await docker.PushAsync(_image, image)).Succeeded();
        await using (var other = await chromium.NewProfileAsync())
        {
            var anna = await other.NewPageAsync();
            await SignInAsync(anna, "second", "anna");
            Assert.Contains("-u second/anna", await anna.InnerTextAsync("#login"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task PersonDisabledAtTheProvider_TokensStop()
    {
        var page = await _profile.NewPageAsync();
        await SignInAsync(page, "first", "olga");
        var token = await MintAsync(page);
        await using var docker = new DockerClient(_gateway, engine);
        (await docker.LoginAsync("olga", token)).Succeeded();
        await _first.DisableAsync("olga");
        // revalidateEvery, and the five seconds that an answer is remembered
        await Task.Delay(TimeSpan.FromSeconds(16));
        (await docker.LoginAsync("olga", token)).FailedWith("sign in again in the browser");
        await page.GotoAsync(Url + "/account");
        Assert.Contains("/sign-in", page.Url, StringComparison.Ordinal);

        // The neighbour, at the same provider.
        await using var other = await chromium.NewProfileAsync();
        var vera = await other.NewPageAsync();
        await SignInAsync(vera, "first", "vera");
        (await docker.LoginAsync("vera", await MintAsync(vera))).Succeeded();
    }

    [Fact]
    public async Task Provider_RotatedThenWithAnotherSecretThenLying()
    {
        var page = await _profile.NewPageAsync();
        await SignInAsync(page, "first", "olga");
        await SignOutAsync(page);

        // Other keys, which the gateway picks up by itself.
        await _first.KillAsync();
        await _first.StartAsync("first", _gateway.Authority);
        for (var attempt = 0; ; attempt++)
        {
            await using var profile = await chromium.NewProfileAsync();
            var again = await profile.NewPageAsync();
            await WalkAsync(again, "first", "olga");
            if (again.Url == Url + "/account")
            {
                break;
            }

            Assert.True(attempt < 12, await again.ContentAsync());
            await Task.Delay(TimeSpan.FromSeconds(5)); // keys are asked for at most twice a minute
        }

        await _first.KillAsync();
        await _first.StartAsync("first", _gateway.Authority, secret: "another secret");
        await using (var profile = await chromium.NewProfileAsync())
        {
            var refused = await profile.NewPageAsync();
            await WalkAsync(refused, "first", "olga");
            Assert.Contains("client secret", await refused.InnerTextAsync("main"), StringComparison.Ordinal);
        }

        await _first.KillAsync();
        await _first.StartAsync("first", _gateway.Authority, issuer: "https://evil.example");
        await using (var profile = await chromium.NewProfileAsync())
        {
            var lied = await profile.NewPageAsync();
            await WalkAsync(lied, "first", "olga");
            Assert.Contains("a provider other than", await lied.InnerTextAsync("main"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task PushedRequests_AreUsedWhereOfferedAndWhereRequired()
    {
        var page = await _profile.NewPageAsync();
        await SignInAsync(page, "first", "olga");
        Assert.Contains("pushed", _first.Log, StringComparison.Ordinal);
        await using (var profile = await chromium.NewProfileAsync())
        {
            await SignInAsync(await profile.NewPageAsync(), "second", "anna");
        }

        Assert.Contains("pushed", _second.Log, StringComparison.Ordinal);

        // It does require it; and the doctor begins a sign-in as the gateway does.
        using (var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }))
        {
            var callback = Uri.EscapeDataString(Url + "/sign-in/second/callback");
            var plain = await client.GetAsync(new Uri(
                $"{_second.Issuer}/auth?client_id={OidcProviderProcess.ClientId}&redirect_uri="
                    + $"{callback}&response_type=code&scope=openid"
                + "&code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code_challenge_method=S256"));
            Assert.Contains(
                "Pushed Authorization Request", Uri.UnescapeDataString(plain.Headers.Location!.Query).Replace('+', ' '),
                StringComparison.Ordinal);
        }

        var diagnosis = await _gateway.RunCommandAsync("doctor", "--json", "--ca", _gateway.Process.AuthorityFile);
        Assert.Contains("\"oidc:second\"", diagnosis.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\"ISS00", diagnosis.Output, StringComparison.Ordinal);
        await _second.KillAsync();
        await _second.StartAsync("third", _gateway.Authority, pushed: "required"); // another redirect URI
        diagnosis = await _gateway.RunCommandAsync("doctor", "--json", "--ca", _gateway.Process.AuthorityFile);
        Assert.Contains("\"ISS006\"", diagnosis.Output, StringComparison.Ordinal);
        Assert.Contains("pushed authorization request endpoint", diagnosis.Output, StringComparison.Ordinal);
        await using (var profile = await chromium.NewProfileAsync())
        {
            var refused = await profile.NewPageAsync();
            await refused.GotoAsync(Url + "/sign-in/second");
            Assert.Contains(
                "does not accept this registry's sign-in requests", await refused.InnerTextAsync("main"),
                StringComparison.Ordinal);
        }

        // One that required it dies before the sign-in; one that offered it does so no more.
        await _second.KillAsync();
        await _first.KillAsync();
        await _first.StartAsync("first", _gateway.Authority, pushed: "none");
        await using (var profile = await chromium.NewProfileAsync())
        {
            var refused = await profile.NewPageAsync();
            await refused.GotoAsync(Url + "/sign-in");
            await refused.ClickAsync("text=Sign in with second");
            Assert.Contains(
                "is unavailable to this registry", await refused.InnerTextAsync("main"), StringComparison.Ordinal);
            await WalkAsync(refused, "first", "olga"); // its keys are others now: not signed in, but asked
            Assert.StartsWith(Url, refused.Url, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Terminal_IsLetInByTheBrowser_AndDockerAsksTheHelper()
    {
        await using var docker = new DockerClient(_gateway, engine);
        var folder = Directory.CreateTempSubdirectory("gateway-device-").FullName;
        File.CreateSymbolicLink(
            Path.Combine(folder, "docker-credential-gateway"), Path.Combine(AppContext.BaseDirectory, "gateway"));
        docker.Environment["PATH"] = $"{folder}:{Environment.GetEnvironmentVariable("PATH")}";
        docker.Environment["REGISTRY_GATEWAY_LOGINS"] = Path.Combine(folder, "logins.json");
        await File.WriteAllTextAsync(docker.ConfigurationFile, "{}");

        var start = new ProcessStartInfo(
            Path.Combine(AppContext.BaseDirectory, "gateway"),
            ["login", "--ca", _gateway.Process.AuthorityFile, _gateway.Authority]);
        foreach (var (name, value) in docker.Environment)
        {
            start.Environment[name] = value;
        }

        start.Environment["DOCKER_CONFIG"] = Path.GetDirectoryName(docker.ConfigurationFile);
        await using var terminal = ServerProcess.Start(
            "gateway-login", start, Path.Combine(folder, "terminal.log"), TimeSpan.FromSeconds(2));
        await terminal.WaitUntilReadyAsync(
            () => Task.FromResult(terminal.Log.Contains("Open https://", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(30));
        var link = Link().Match(terminal.Log).Value;

        var page = await _profile.NewPageAsync();
        await page.GotoAsync(link);
        await WalkFromSignInAsync(page, "first", "olga");
        Assert.Equal(link, page.Url);
        await page.ClickAsync("main form[action='/device'] button");
        Assert.Contains("Device authorized", await page.InnerTextAsync("h1"), StringComparison.Ordinal);
        for (var i = 0; i < 100 && !terminal.HasExited; i++)
        {
            await Task.Delay(200);
        }

        Assert.Contains("Signed in to", terminal.Log, StringComparison.Ordinal);
        (await docker.PushAsync(_image, $"dev/device-{Guid.NewGuid():n}:1")).Succeeded();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Identity_ListedAndForgotten_EndsItsTokens()
    {
        var page = await _profile.NewPageAsync();
        await SignInAsync(page, "first", "olga");
        var token = await MintAsync(page);
        Assert.Contains(
            "oidc:first", (await _gateway.RunCommandAsync("identity", "list")).Succeeded(), StringComparison.Ordinal);
        (await _gateway.RunCommandAsync("identity", "forget", "oidc:first", "nobody")).FailedWith(
            "has not confirmed anyone named");
        (await _gateway.RunCommandAsync("identity", "forget", "oidc:first", "olga")).Succeeded();
        await using var docker = new DockerClient(_gateway, engine);
        (await docker.LoginAsync("olga", token)).FailedWith("revoked");
    }

    private async Task SignInAsync(IPage page, string provider, string name)
    {
        await WalkAsync(page, provider, name);
        Assert.True(page.Url == Url + "/account", page.Url + "\n" + await page.InnerTextAsync("body"));
    }

    private async Task WalkAsync(IPage page, string provider, string name)
    {
        await page.GotoAsync(Url + "/account");
        await WalkFromSignInAsync(page, provider, name);
    }

    private static async Task WalkFromSignInAsync(IPage page, string provider, string name)
    {
        await page.ClickAsync($"text=Sign in with {provider}");
        await page.FillAsync("input[name=login]", name);
        await page.FillAsync("input[name=password]", "any");
        await page.ClickAsync("button[type=submit]");
        await page.ClickAsync("button[type=submit]"); // what this registry may know
        await page.WaitForLoadStateAsync();
    }

    private async Task SignOutAsync(IPage page)
    {
        await page.ClickAsync("text=Sign out >> nth=-1");
        await page.ClickAsync("button[name=logout]"); // the provider asks whether to end its own session
        await page.WaitForURLAsync(Url + "/sign-out**");
        Assert.Contains("signed out", await page.InnerTextAsync("main"), StringComparison.Ordinal);
        await page.GotoAsync(Url + "/account");
        Assert.Contains("/sign-in", page.Url, StringComparison.Ordinal);
    }

    private static async Task<string> MintAsync(IPage page)
    {
        await page.FillAsync("input[name=name]", "laptop");
        await page.ClickAsync("text=Create token");
        var token = await page.InnerTextAsync("#token");
        Assert.Matches("^rgp_[0-9A-Za-z]{38}$", token);
        Secrets.Know("token of the page", token);
        return token;
    }

    [GeneratedRegex("https://[^ ]+/device\\?user_code=[A-Z-]+")]
    private static partial Regex Link();
}
