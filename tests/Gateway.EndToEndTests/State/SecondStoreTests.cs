using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.State;

/// <summary>
/// Commands whose environment lacks what the running gateway's says of its state: they make no second one.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class SecondStoreTests : IAsyncLifetime
{
    private readonly string _elsewhere = Path.Combine(
        Directory.CreateTempSubdirectory("gateway-elsewhere-").FullName, "state");
    private readonly YesUpstream _upstream = new();
    private GatewayProcess _gateway = null!;

    private string Default => Path.Combine(_gateway.Folder, "state");

    public async Task InitializeAsync() => _gateway = await GatewayProcess.StartAsync(new GatewaySettings
    {
        Upstream = _upstream.Address,
        Environment = new Dictionary<string, string?> { ["GATEWAY__State__Folder"] = _elsewhere },
    });

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(_elsewhere)!, recursive: true);
    }

    [Fact]
    public async Task Commands_WithoutTheEnvironmentOfTheRunningGateway_MakeNothing()
    {
        string[][] commands =
        [
            ["token", "create", "laptop", "--user", "alice", "--all"], ["token", "list"], ["identity", "list"],
            ["backup", Path.Combine(_gateway.Folder, "archive")],
        ];
        foreach (var command in commands)
        {
            (await RunAsync(command)).FailedWith(
                $"{Default}/gateway.db: there is no store here, but the gateway that runs "
                    + $"with {_gateway.ConfigurationFile} has one elsewhere. "
                + "Run the command where the gateway runs (docker exec CONTAINER gateway …), or give it the gateway's "
                + "GATEWAY__ variables, such as GATEWAY__State__Folder.");
        }

        foreach (var command in new[] { "list", "rotate" })
        {
            (await RunAsync("keys", command)).FailedWith(
                $"{Default}/keys: there are no signing keys here, but the gateway that runs with");
        }

        Assert.Contains("STA004", (await RunAsync("doctor")).Text, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Default));

        // With it, or once the gateway has ended, they work as ever.
        var made = JsonNode.Parse((await RunAsync(
            new CliSettings
            {
                Environment = new Dictionary<string, string?> { ["GATEWAY__State__Folder"] = _elsewhere },
            },
            "token", "create", "laptop", "--user", "alice", "--all", "--json")).Succeeded())!["secret"]!
                .GetValue<string>();
        using var client = _gateway.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:{made}")));
        using var answer = await client.GetAsync("/v2/team-a/app/manifests/v1");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        await _gateway.TerminateAsync();
        var first = await RunAsync("token", "create", "laptop", "--user", "alice", "--all");
        first.Succeeded();
        Assert.DoesNotContain("Warning", first.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_BesideAGatewayWhoseFilesWereRemoved_MakeNoStoreAndNewKeysOnly()
    {
        var settings = new CliSettings
        {
            Environment = new Dictionary<string, string?> { ["GATEWAY__State__Folder"] = _elsewhere },
        };
        File.Delete(Path.Combine(_elsewhere, "gateway.db"));
        Directory.Delete(Path.Combine(_elsewhere, "keys"), recursive: true);

        (await RunAsync(settings, "token", "create", "laptop", "--user", "alice", "--all")).FailedWith(
            $"{_elsewhere}/gateway.db: there is no store here, although a gateway runs with this folder.");
        Assert.False(File.Exists(Path.Combine(_elsewhere, "gateway.db")));
        (await RunAsync(settings, "keys", "rotate", "--now")).Succeeded();
    }

    [Fact]
    public async Task Commands_StoreThatTheRunningGatewayDoesNotUse_SaySo()
    {
        // A second gateway with the same file is one with this store, until it ends.
        await using (var other = await StartOtherAsync())
        {
            Assert.DoesNotContain("Warning", (await RunAsync("token", "list")).Error, StringComparison.Ordinal);
        }

        var listed = await RunAsync("token", "list");
        listed.Succeeded();
        Assert.StartsWith(
            $"Warning: {Default}/gateway.db: no gateway uses this store; the one that runs "
                + $"with {_gateway.ConfigurationFile} uses another.",
            listed.Error,
            StringComparison.Ordinal);
    }

    private async Task<ServerProcess> StartOtherAsync()
    {
        var management = TestPaths.FreePort();
        var start = new System.Diagnostics.ProcessStartInfo(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "gateway.dll"), "serve", "--config", _gateway.ConfigurationFile]);
        start.Environment["GATEWAY__Listen__Https"] = $"127.0.0.1:{TestPaths.FreePort()}";
        start.Environment["GATEWAY__Listen__Management"] = $"127.0.0.1:{management}";
        var other = ServerProcess.Start(
            "other", start, Path.Combine(_gateway.Folder, "other.log"), TimeSpan.FromSeconds(40));
        using var client = new HttpClient();
        await other.WaitUntilReadyAsync(
            async () =>
            {
                try
                {
                    using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{management}/readyz"));
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false; // not listening yet
                }
            },
            TimeSpan.FromSeconds(60));
        return other;
    }

    private Task<CliResult> RunAsync(params string[] command) => RunAsync(new CliSettings(), command);

    private Task<CliResult> RunAsync(CliSettings settings, params string[] command) =>
        GatewayProcess.RunCommandAsync([.. command, "--config", _gateway.ConfigurationFile], settings);
}
