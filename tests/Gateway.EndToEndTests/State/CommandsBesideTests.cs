using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.EndToEndTests.Support;
using Gateway.Foundation.Files;
using Gateway.Server.Store.State.Sqlite;

namespace Gateway.EndToEndTests.State;

/// <summary>
/// The built program, with a provider configured so that two stores share the file, and every command that opens the
/// store beside it: what one answers holds for the other, also after a crash.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class CommandsBesideTests : IAsyncLifetime
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "gateway.dll");

    private readonly string _root = Directory.CreateTempSubdirectory("gateway-beside-").FullName;
    private readonly YesUpstream _upstream = new();
    private GatewayProcess _gateway = null!;

    private string Store => Path.Combine(_gateway.Folder, "state", SqliteDatabase.FileName);

    public async Task InitializeAsync() => _gateway = await GatewayProcess.StartAsync(new GatewaySettings
    {
        Upstream = _upstream.Address,
        // A provider that is never asked here; that it is configured opens the second store.
        MoreAuthentication = """
            , oidc: { corp: { issuer: "https://127.0.0.1:9", clientId: registry, clientSecretFile: users.htpasswd, names: qualified } }
            """,
    });

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task EveryCommand_BesideARunningGateway_LosesNothingAndRevokesForReal()
    {
        var locks = Locks();
        Assert.NotEmpty(locks);
        var byCommand = await CreateAsync("by-command");
        var byApi = await CreateByApiAsync("by-api");
        var kept = await CreateAsync("kept");
        var access = await AccessTokenAsync(byCommand.Secret);
        string[][] commands =
        [
            ["token", "list"], ["token", "list", "--json"], ["identity", "list"],
            ["identity", "forget", "oidc:corp", "nobody"],
            ["config", "check"], ["doctor"], ["backup", Path.Combine(_root, "archive")],
            ["token", "revoke", "no-such-token"],
            ["user", "blocked"], ["user", "block", "robot:nobody"], ["user", "unblock", "robot:nobody"],
        ];
        foreach (var command in commands)
        {
            string[] config = command is ["config", ..]
                ? [_gateway.ConfigurationFile]
                : ["--config", _gateway.ConfigurationFile];
            // some have to say no: that is not looked at here
            await GatewayProcess.RunCommandAsync([.. command, .. config]);
            Assert.True(
                locks.SequenceEqual(Locks()), $"after {string.Join(' ', command)}: {string.Join('\n', Locks())}");
            Assert.True(File.Exists(Store + "-wal"), $"the log is gone after {string.Join(' ', command)}");
        }

        Assert.Equal(HttpStatusCode.OK, await PullAsync(Basic(byCommand.Secret)));
        Assert.Equal(HttpStatusCode.OK, await PullAsync(Basic(byApi.Secret)));
        Assert.Equal(HttpStatusCode.OK, await PullAsync(new AuthenticationHeaderValue("Bearer", access)));

        (await GatewayProcess.RunCommandAsync(
            ["token", "revoke", byCommand.Id, "--config", _gateway.ConfigurationFile])).Succeeded();
        using (var client = _gateway.CreateClient("alice"))
        {
            Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/api/v1/tokens/{byApi.Id}")).StatusCode);
        }

        await EventuallyRefusedAsync(Basic(byCommand.Secret));
        await EventuallyRefusedAsync(new AuthenticationHeaderValue("Bearer", access));
        await EventuallyRefusedAsync(Basic(byApi.Secret));
        Assert.Equal(HttpStatusCode.OK, await PullAsync(Basic(kept.Secret)));
        (await GatewayProcess.RunCommandAsync(["user", "block", "user:alice", "--config", _gateway.ConfigurationFile]))
            .Succeeded();
        await EventuallyRefusedAsync(Basic(kept.Secret));
        Assert.Equal(locks, Locks());

        // As a crash does it: nothing is written any more, and the log is all that has the last changes.
        using (var process = Process.GetProcessById(_gateway.ProcessId))
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        await using var again = await StartAgainAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, await PullAsync(Basic(byCommand.Secret)));
        Assert.Equal(HttpStatusCode.Unauthorized, await PullAsync(new AuthenticationHeaderValue("Bearer", access)));
        Assert.Equal(HttpStatusCode.Unauthorized, await PullAsync(Basic(byApi.Secret)));
        Assert.Equal(HttpStatusCode.Unauthorized, await PullAsync(Basic(kept.Secret))); // still blocked
        (await GatewayProcess.RunCommandAsync(
            ["user", "unblock", "user:alice", "--config", _gateway.ConfigurationFile])).Succeeded();
        var clock = Stopwatch.StartNew();
        while (await PullAsync(Basic(kept.Secret)) != HttpStatusCode.OK)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), "an unblocked subject is still refused");
            await Task.Delay(50);
        }

        // what was revoked stays so
        Assert.Equal(HttpStatusCode.Unauthorized, await PullAsync(Basic(byCommand.Secret)));
    }

    [Fact]
    public async Task LogRemoved_UnderARunningGateway_IsSaidAndNothingIsAnsweredThatWouldNotHold()
    {
        var token = await CreateAsync("laptop");
        Assert.Equal(HttpStatusCode.OK, await PullAsync(Basic(token.Secret)));

        File.Delete(Store + "-wal");

        await EventuallyDownAsync();
        Assert.Contains(
            "-wal: the store's log was removed or replaced while the gateway was running.", _gateway.Log,
            StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await PullAsync(Basic(token.Secret)));
        using var alice = _gateway.CreateClient("alice");
        Assert.Equal(
            HttpStatusCode.ServiceUnavailable, (await alice.DeleteAsync($"/api/v1/tokens/{token.Id}")).StatusCode);
        // a password needs no store
        Assert.Equal(HttpStatusCode.OK, (await alice.GetAsync("/v2/team-a/app/manifests/v1")).StatusCode);
        foreach (var command in new[] { "revoke", "rotate" })
        {
            var refused = await GatewayProcess.RunCommandAsync(
                ["token", command, token.Id, "--config", _gateway.ConfigurationFile]);
            Assert.NotEqual(0, refused.ExitCode);
            Assert.Contains(
                "the store's log was removed while a gateway uses it", refused.Error, StringComparison.Ordinal);
        }

        await _gateway.TerminateAsync();
        await using var again = await StartAgainAsync();
        // what the log had is saved, and nothing was revoked
        Assert.Equal(HttpStatusCode.OK, await PullAsync(Basic(token.Secret)));
    }

    [Fact]
    public async Task IndexOfTheLogRemoved_UnderARunningGateway_ItsEndUndoesNoRevocation()
    {
        var (token, kept) = (await CreateAsync("laptop"), await CreateByApiAsync("kept"));
        File.Delete(Store + "-shm");
        await EventuallyDownAsync();

        (await GatewayProcess.RunCommandAsync(["token", "revoke", token.Id, "--config", _gateway.ConfigurationFile]))
            .Succeeded();
        await _gateway.TerminateAsync();

        await using var again = await StartAgainAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await PullAsync(Basic(token.Secret)));
        Assert.Equal(HttpStatusCode.OK, await PullAsync(Basic(kept.Secret)));
    }

    private async Task<ServerProcess> StartAgainAsync()
    {
        var start = new ProcessStartInfo("dotnet", [Program, "serve", "--config", _gateway.ConfigurationFile]);
        var again = ServerProcess.Start("again", start, Path.Combine(_root, "log"), TimeSpan.FromSeconds(40));
        try
        {
            await again.WaitUntilReadyAsync(IsReadyAsync, TimeSpan.FromSeconds(60));
            return again;
        }
        catch
        {
            await again.DisposeAsync();
            throw;
        }
    }

    private async Task EventuallyDownAsync()
    {
        var deadline = Stopwatch.StartNew();
        while (!(await ReadyTextAsync()).Contains("\"state\":\"down\"", StringComparison.Ordinal))
        {
            Assert.True(deadline.Elapsed < TimeSpan.FromSeconds(20), await ReadyTextAsync());
            await Task.Delay(100);
        }
    }

    // The kernel's own list of the locks that the gateway holds on the file: "1: POSIX  ADVISORY  READ 4711 fe:00:1234
    // …".
    private List<string> Locks()
    {
        Assert.Equal(0, FileStatus.Read(Store, out var status));
        var (process, inode) = ($" {_gateway.ProcessId} ", $":{status.Inode} ");
        return [.. File.ReadLines("/proc/locks")
            .Where(
                line => line.Contains("POSIX", StringComparison.Ordinal)
                    && line.Contains(process, StringComparison.Ordinal)
                && line.Contains(inode, StringComparison.Ordinal))
            .Select(static line => line[line.IndexOf(':', StringComparison.Ordinal)..])];
    }

    private async Task<(string Id, string Secret)> CreateAsync(string name) =>
        Read((await GatewayProcess.RunCommandAsync(
        ["token", "create", name, "--user", "alice", "--all", "--json", "--config", _gateway.ConfigurationFile]))
            .Succeeded());

    private async Task<(string Id, string Secret)> CreateByApiAsync(string name)
    {
        using var client = _gateway.CreateClient("alice");
        using var answer = await client.PostAsJsonAsync(
            "/api/v1/tokens", new { name, scopes = (string[]?)null, expiresIn = "30d" });
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Created, text);
        return Read(text);
    }

    private static (string Id, string Secret) Read(string json)
    {
        var node = JsonNode.Parse(json)!;
        return (node["token"]!["id"]!.GetValue<string>(), node["secret"]!.GetValue<string>());
    }

    private static AuthenticationHeaderValue Basic(string secret) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"alice:{secret}")));

    private async Task EventuallyRefusedAsync(AuthenticationHeaderValue authorization)
    {
        var clock = Stopwatch.StartNew();
        while (await PullAsync(authorization) != HttpStatusCode.Unauthorized)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), "a revoked credential goes on working");
            await Task.Delay(50);
        }
    }

    private async Task<HttpStatusCode> PullAsync(AuthenticationHeaderValue authorization)
    {
        using var client = _gateway.CreateClient();
        client.DefaultRequestHeaders.Authorization = authorization;
        using var answer = await client.GetAsync("/v2/team-a/app/manifests/v1");
        return answer.StatusCode;
    }

    private async Task<string> AccessTokenAsync(string secret)
    {
        using var client = _gateway.CreateClient();
        client.DefaultRequestHeaders.Authorization = Basic(secret);
        using var answer = await client.GetAsync(
            $"/token?service={_gateway.Authority}&scope=repository:team-a/app:pull");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!.GetValue<string>();
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            return (await ReadyTextAsync()).Length > 0;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }

    private async Task<string> ReadyTextAsync()
    {
        using var client = new HttpClient();
        using var answer = await client.GetAsync(new Uri(_gateway.Management, "readyz"));
        return await answer.Content.ReadAsStringAsync();
    }
}
