using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Oidc;

/// <summary>
/// A real OpenID provider (npm's oidc-provider) that can be killed, and started again as another one at its address.
/// </summary>
internal sealed class OidcProviderProcess(params string[] groups) : IAsyncDisposable
{
    public const string ClientId = "gateway", ClientSecret = "provider client secret";

    private static readonly Lazy<Task> Installed = new(static async () => (await Cli.RunAsync(
        "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], new CliSettings { Folder = Folder }))
            .Succeeded());

    private readonly int _port = TestPaths.FreePort();
    private readonly string _logFile = Path.GetTempFileName();
    private ServerProcess? _process;

    /// <summary>Where the provider's program lies, with what its package-lock.json names.</summary>
    public static string Folder => Path.Combine(TestPaths.Repository, "tests", "oidc-provider");

    /// <summary>Its issuer.</summary>
    public string Issuer => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}");

    /// <summary>
    /// What it has printed since it was started: a line <c>pushed</c> for each request that was pushed to it.
    /// </summary>
    public string Log => _process?.Log ?? "";

    /// <summary>Installs the program, once.</summary>
    public static Task InstallAsync() => Installed.Value;

    /// <summary>Starts it; with new keys, and nothing of what it knew before.</summary>
    /// <param name="name">The gateway's name for it.</param>
    /// <param name="gateway">The gateway's authority.</param>
    /// <param name="issuer">Another issuer than its own, where it is to lie.</param>
    /// <param name="secret">Another client secret than the gateway's, where it is to refuse that.</param>
    /// <param name="pushed">Pushed authorization requests: <c>none</c>, <c>offered</c> or <c>required</c>.</param>
    public async Task StartAsync(
        string name, string gateway, string? issuer = null, string secret = ClientSecret, string pushed = "offered")
    {
        Secrets.Know("provider-client", ClientSecret);
        var settings = JsonSerializer.Serialize(new
        {
            port = _port,
            issuer = issuer ?? Issuer,
            clientId = ClientId,
            clientSecret = secret,
            redirectUri = $"https://{gateway}/sign-in/{name}/callback",
            signOutUri = $"https://{gateway}/sign-out",
            groups,
            pushed,
            claimsInUserInfo = true,
        });
        _process = ServerProcess.Start(
            "oidc-provider",
            new ProcessStartInfo(TestPaths.Program("node"), [Path.Combine(Folder, "server.mjs"), settings]),
            _logFile,
            TimeSpan.FromSeconds(1));
        await _process.WaitUntilReadyAsync(
            () => Task.FromResult(_process.Log.Contains("ready", StringComparison.Ordinal)), TimeSpan.FromSeconds(60));
    }

    /// <summary>Ends it.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            await process.StopAsync();
            await process.DisposeAsync();
            await File.WriteAllTextAsync(_logFile, "");
        }
    }

    /// <summary>Disables a person, as the provider's administrator does.</summary>
    public async Task DisableAsync(string name)
    {
        using var client = new HttpClient();
        await client.GetStringAsync(new Uri($"{Issuer}/test/disable?name={name}"));
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        File.Delete(_logFile);
    }
}
