using Gateway.EndToEndTests.Support;
using Microsoft.Playwright;

namespace Gateway.EndToEndTests.Cors;

/// <summary>
/// An unmodified registry, the gateway before it, and a page server whose origin the gateway allows as
/// <c>http://ui.gateway.test</c>. The same server under any other name is an origin that it does not.
/// </summary>
internal sealed class CorsStage : IAsyncDisposable
{
    private const string Policy = """
        groups: { team-a: [alice] }
        rules:
          - { name: team-a owns its repositories, to: [ group:team-a ], role: owner, on: [ "team-a/**" ] }
          - { name: bob reads, to: [ user:bob ], role: reader, on: [ "team-a/**" ] }
        """;

    private readonly RegistryProcess _registry;
    private readonly PageServer _pages;
    private readonly RecordingFront _front;
    private readonly GatewayProcess _gateway;

    private CorsStage(RegistryProcess registry, PageServer pages, RecordingFront front, GatewayProcess gateway)
    {
        _registry = registry;
        _pages = pages;
        _front = front;
        _gateway = gateway;
    }

    /// <summary>The registry behind the gateway.</summary>
    public RegistryProcess Registry => _registry;

    /// <summary>The gateway's origin: <c>https://registry.gateway.test:PORT</c>.</summary>
    public string Origin => _gateway.PublicUrl.GetLeftPart(UriPartial.Authority);

    /// <summary>The origin that is allowed.</summary>
    public string AllowedOrigin => OriginOf("ui.gateway.test");

    /// <param name="settings">Further settings of <c>cors</c>, in YAML's flow style, each after a comma.</param>
    public static async Task<CorsStage> StartAsync(string settings = "")
    {
        var registry = await RegistryProcess.StartAsync();
        var script = await File.ReadAllTextAsync(
            Path.Combine(TestPaths.Repository, "tests", "Gateway.EndToEndTests", "Cors", "pages", "registry.js"));
        var pages = await PageServer.StartAsync(script);
        var front = await RecordingFront.StartAsync("127.0.0.1");
        var gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = registry.Address,
            PublicPort = front.Port,
            Policy = Policy,
            MoreYaml = $"cors: {{ origins: [ \"http://ui.gateway.test:{pages.Port}\" ]{settings} }}",
        });
        front.LeadTo(gateway);
        return new CorsStage(registry, pages, front, gateway);
    }

    /// <summary>The origin of the page server under a name.</summary>
    public string OriginOf(string host) => $"http://{host}:{_pages.Port}";

    /// <summary>Opens the page, as a person does by its address.</summary>
    public static async Task<IPage> OpenAsync(IBrowserContext profile, string origin)
    {
        var page = await profile.NewPageAsync();
        await page.GotoAsync(origin + "/");
        return page;
    }

    /// <summary>Signs in at the gateway with the browser itself: it keeps name and password from then on.</summary>
    public async Task SignInAsync(IBrowserContext profile, string user)
    {
        var page = await profile.NewPageAsync();
        var password = GatewaySettings.SampleUsers[user];
        var answer = await page.GotoAsync($"{Origin.Replace("//", $"//{user}:{password}@", StringComparison.Ordinal)}/api/v1/tokens");
        Assert.Equal(200, answer!.Status);
        await page.CloseAsync();
    }

    /// <summary>Calls a function of the page's script; a target that begins with a slash is the gateway's.</summary>
    public async Task<PageAnswer> CallAsync(IPage page, string function, string method, string target, params object?[] more)
    {
        object?[] arguments = [method, Origin + target, .. more];
        return PageAnswer.Read(await page.EvaluateAsync<string>(
            $"async (arguments) => JSON.stringify(await {function}(...arguments))", arguments));
    }

    /// <summary>What browsers asked since the last call.</summary>
    public Recording Take() => _front.Take();

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _front.DisposeAsync();
        await _pages.DisposeAsync();
        await _registry.DisposeAsync();
    }
}
