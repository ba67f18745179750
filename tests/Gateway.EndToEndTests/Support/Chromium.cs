using Microsoft.Playwright;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// A real Chromium, Debian's, without a window and without any network but loopback. Dispose ends it.
/// </summary>
/// <remarks>
/// No request is intercepted, since preflights never reach a server where one is: what servers see is what every user's
/// browser sends.
/// </remarks>
public class Chromium : IAsyncLifetime
{
    private static readonly string[] Arguments =
    [
        "--no-sandbox", // the tests run as root, where it has none
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-domain-reliability",
        "--disable-sync",
        "--metrics-recording-only",
        "--no-proxy-server",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Where the tests' names lead.</summary>
    protected virtual string Address => "127.0.0.1";


    public async Task InitializeAsync()
    {
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = TestPaths.Program("chromium"),
            Args =
            [
                .. Arguments,
                // Names for tests lead here, and every other name nowhere: nothing that runs in it can call out.
                $"--host-resolver-rules=MAP *.gateway.test {Address}, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE "
                    + $"127.0.0.1, EXCLUDE {Address}",
            ],
        });
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }

    /// <summary>
    /// A browser profile of its own, without cookies, caches and passwords, that trusts the tests' certificates.
    /// </summary>
    /// <param name="person">
    /// What a person types into the browser's own prompt; without it nobody is there, and a prompt stays open.
    /// </param>
    public Task<IBrowserContext> NewProfileAsync(HttpCredentials? person = null) =>
        _browser!.NewContextAsync(new BrowserNewContextOptions { IgnoreHTTPSErrors = true, HttpCredentials = person });
}

/// <summary>One on the machine of the clients, where the gateway's name has an address of its own.</summary>
public sealed class ClientChromium : Chromium
{
    /// <inheritdoc/>
    protected override string Address => TrustedHost.Address;
}
