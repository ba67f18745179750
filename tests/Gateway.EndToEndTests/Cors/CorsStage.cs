using Gateway.EndToEndTests.Support;
using Microsoft.Playwright;

namespace Gateway.EndToEndTests.Cors;

/// <summary>
/// An unmodified registry, the gateway before it at <c>https://registry.gateway.test</c>, and a page server that it
/// allows as <c>http://ui.gateway.test</c>, another site for browsers, and as <c>https://ui.gateway.test</c>, the same
/// site. The page server's other names are origins that it does not.
/// </summary>
internal sealed class CorsStage : IAsyncDisposable
{
    private const string UiHost = "ui.gateway.test";
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

    /// <summary>The origin that is allowed, of another site.</summary>
    public string AllowedOrigin => OriginOf("http", UiHost);

    /// <summary>The origin that is allowed, of the gateway's site.</summary>
    public string AllowedOriginOfSameSite => OriginOf("https", UiHost);

    /// <param name="settings">Further settings of <c>cors</c>, in YAML's flow style, each after a comma.</param>
    /// <param name="rules">Further rules of the policy, each as a line of a YAML list.</param>
    public static async Task<CorsStage> StartAsync(string settings = "", string rules = "")
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
            Policy = Policy + "\n" + rules,
            MoreYaml = $"cors: {{ origins: [ \"{pages.OriginOf("http", UiHost)}\", \""
                + $"{pages.OriginOf("https", UiHost)}\" ]{settings} }}",
        });
        front.LeadTo(gateway);
        return new CorsStage(registry, pages, front, gateway);
    }

    /// <summary>The origin of the page server under a name.</summary>
    public string OriginOf(string scheme, string host) => _pages.OriginOf(scheme, host);

    /// <summary>Opens the page, as a person does by its address.</summary>
    public static async Task<IPage> OpenAsync(IBrowserContext profile, string origin)
    {
        var page = await profile.NewPageAsync();
        await page.GotoAsync(origin + "/");
        return page;
    }

    /// <summary>What a person types into the browser's prompt where this gateway asks, and nowhere else.</summary>
    public HttpCredentials Person(string user, string? password = null) =>
        new() { Username = user, Password = password ?? GatewaySettings.SampleUsers[user], Origin = Origin };

    /// <summary>Calls a function of the page's script; a target that begins with a slash is the gateway's.</summary>
    public async Task<PageAnswer> CallAsync(
        IPage page, string function, string method, string target, params object?[] more)
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
