using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Backup;

/// <summary>The built program: backed up while it runs, restored to another folder, started there.</summary>
public sealed class BackupTests : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "gateway.dll");

    private readonly string _root = Directory.CreateTempSubdirectory("gateway-backup-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Restored_StartsElsewhere_AndTakesTheTokensIssuedBefore()
    {
        await using var upstream = new YesUpstream();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings { Upstream = upstream.Address });
        var (archive, passphrase, target) =
            (Path.Combine(_root, "b"), Path.Combine(_root, "p"), Path.Combine(_root, "restored"));
        await File.WriteAllTextAsync(passphrase, "a passphrase for this test\n");
        string[] create = [
            "token", "create", "laptop", "--user", "alice", "--all", "--config", gateway.ConfigurationFile,
        ];
        var kept = (await GatewayProcess.RunCommandAsync(create)).Succeeded();
        var revoked = (await GatewayProcess.RunCommandAsync([.. create, "--json"])).Succeeded();
        var access = await AccessTokenAsync(gateway, kept);
        var id = JsonNode.Parse(revoked)!["token"]!["id"]!.GetValue<string>();
        (await GatewayProcess.RunCommandAsync(["token", "revoke", id, "--config", gateway.ConfigurationFile]))
            .Succeeded();

        var made = await GatewayProcess.RunCommandAsync(
            ["backup", archive, "--config", gateway.ConfigurationFile, "--passphrase-file", passphrase]);
        made.Succeeded();
        Assert.DoesNotContain("not encrypted", made.Text, StringComparison.Ordinal);
        string[] restore = ["restore", archive, "--to", target, "--passphrase-file", passphrase];

        // Not over the one that runs.
        (await GatewayProcess.RunCommandAsync(
            ["restore", archive, "--to", gateway.Folder, "--passphrase-file", passphrase, "--force"])).FailedWith(
                "a gateway is running");
        (await GatewayProcess.RunCommandAsync([.. restore, "--dry-run"])).Succeeded();
        Assert.False(Directory.Exists(target));
        (await GatewayProcess.RunCommandAsync(restore)).Succeeded();
        await gateway.TerminateAsync();

        var start = new ProcessStartInfo(
            "dotnet", [Program, "serve", "--config", Path.Combine(target, "gateway.yaml")]);
        await using var restored = ServerProcess.Start(
            "restored", start, Path.Combine(_root, "log"), TimeSpan.FromSeconds(40));
        using var client = new HttpClient();
        await restored.WaitUntilReadyAsync(
            () => IsReadyAsync(client, new Uri(gateway.Management, "readyz")), TimeSpan.FromSeconds(60));

        Assert.Equal(HttpStatusCode.OK, await PullAsync(gateway, new AuthenticationHeaderValue("Bearer", access)));
        Assert.Equal(HttpStatusCode.OK, await PullAsync(gateway, Basic("alice", kept)));
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await PullAsync(gateway, Basic("alice", JsonNode.Parse(revoked)!["secret"]!.GetValue<string>())));
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await PullAsync(gateway, new AuthenticationHeaderValue("Bearer", access[..^4] + "AAAA")));
    }

    [Fact]
    public async Task Restore_KilledAtAnyMoment_LeavesTheOldFolderOrTheNewOne()
    {
        await using var upstream = new YesUpstream();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings { Upstream = upstream.Address });
        var (archive, target) = (Path.Combine(_root, "b"), Path.Combine(_root, "restored"));
        (await GatewayProcess.RunCommandAsync(["backup", archive, "--config", gateway.ConfigurationFile])).Succeeded();
        await gateway.TerminateAsync();
        var clock = Stopwatch.StartNew();
        (await GatewayProcess.RunCommandAsync(["restore", archive, "--to", target])).Succeeded();
        var whole = Names(target);
        var (took, killed) = (clock.Elapsed, 0);
        for (var i = 0; i < 12; i++)
        {
            Directory.Delete(target, recursive: true);
            Directory.CreateDirectory(target);
            await File.WriteAllTextAsync(Path.Combine(target, "mine"), "mine");
            using var process = Process.Start(
                new ProcessStartInfo("dotnet", [Program, "restore", archive, "--to", target, "--force"])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                })!;
            await Task.Delay(took * (0.4 + (i * 0.05)));
            killed += process.HasExited ? 0 : 1;
            process.Kill();
            await process.WaitForExitAsync();

            var found = Names(target);
            Assert.True(found.SequenceEqual(["mine"]) || found.SequenceEqual(whole), string.Join(", ", found));
        }

        Assert.True(killed > 0, "it was always quicker than the kill");
    }

    private static List<string> Names(string folder) =>
        [
            .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(
                path => Path.GetRelativePath(folder, path)).Order(StringComparer.Ordinal),
        ];

    private static AuthenticationHeaderValue Basic(string user, string secret) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{secret}")));

    private static async Task<bool> IsReadyAsync(HttpClient client, Uri address)
    {
        try
        {
            using var answer = await client.GetAsync(address);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }

    private static async Task<HttpStatusCode> PullAsync(GatewayProcess gateway, AuthenticationHeaderValue authorization)
    {
        using var client = gateway.CreateClient();
        client.DefaultRequestHeaders.Authorization = authorization;
        using var answer = await client.GetAsync("/v2/team-a/app/manifests/v1");
        return answer.StatusCode;
    }

    private static async Task<string> AccessTokenAsync(GatewayProcess gateway, string secret)
    {
        using var client = gateway.CreateClient();
        client.DefaultRequestHeaders.Authorization = Basic("alice", secret);
        using var answer = await client.GetAsync(
            $"/token?service={gateway.Authority}&scope=repository:team-a/app:pull");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!.GetValue<string>();
    }
}
