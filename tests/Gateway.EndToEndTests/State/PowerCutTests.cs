using System.Diagnostics;
using System.Text.RegularExpressions;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.State;

/// <summary>
/// What must outlast a power cut, as the kernel was asked for it: each file is synced before it gets its name, and its
/// folder after that. strace(1), which traces from the side, writes down the calls of the built program.
/// </summary>
public sealed partial class PowerCutTests : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "gateway.dll");

    private readonly string _root = Directory.CreateTempSubdirectory("gateway-power-").FullName;

    private string Calls => Path.Combine(_root, "calls");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task FirstStart_KeysOfTokensAndOfSessions_OutlastAPowerCut()
    {
        await using var upstream = new YesUpstream();
        var (port, management) = (TestPaths.FreePort(), TestPaths.FreePort());
        await GatewayProcess.RunCommandAsync(
            ["dev-cert", "--out", Path.Combine(_root, "certs"), "--name", TrustedHost.Name]);
        Directory.CreateDirectory(Path.Combine(_root, "policies"));
        await File.WriteAllTextAsync(Path.Combine(_root, "policies", "policy.yaml"), GatewaySettings.SamplePolicy);
        await File.WriteAllTextAsync(Path.Combine(_root, "secret"), "a secret for this test");
        var settings = new GatewaySettings
        {
            Upstream = upstream.Address,
            MoreAuthentication = """
                , oidc: { corp: { issuer: "https://127.0.0.1:9", clientId: registry, clientSecretFile: secret, names: qualified } }
                """,
        };
        var configuration = Path.Combine(_root, "gateway.yaml");
        await AddUserAsync("alice");
        await File.WriteAllTextAsync(configuration, settings.ToYaml(port, management));
        using (var client = new HttpClient())
        {
            await using var gateway = ServerProcess.Start(
                "traced", Traced("serve", "--config", configuration), Path.Combine(_root, "log"),
                TimeSpan.FromSeconds(60));
            await gateway.WaitUntilReadyAsync(
                () => IsReadyAsync(client, new Uri($"http://127.0.0.1:{management}/readyz")),
                TimeSpan.FromSeconds(120));
        }

        var calls = await File.ReadAllLinesAsync(Calls);
        var state = Path.Combine(_root, "state");
        Assert.NotEmpty(
            AssertDurable(
                calls,
                path => path.StartsWith(state + "/", StringComparison.Ordinal)
                    && path.EndsWith(".pem", StringComparison.Ordinal)));
        Assert.NotEmpty(
            AssertDurable(
                calls,
                path => path.StartsWith(state + "/", StringComparison.Ordinal)
                    && path.EndsWith(".xml", StringComparison.Ordinal)));
        Assert.Contains(calls, call => SyncOf(call) == _root); // the new folder "state" has its name there
        Assert.Contains(calls, call => SyncOf(call) == state); // and the folders of the keys theirs
    }

    [Fact]
    public async Task Commands_ThatTakeSomethingAway_OutlastAPowerCut()
    {
        await AddUserAsync("alice");
        await AddUserAsync("bob");
        var users = Path.Combine(_root, "users.htpasswd");
        (await Cli.RunAsync("strace", Arguments("user", "remove", "alice", "--file", users))).Succeeded();
        Assert.Equal([users], AssertDurable(await File.ReadAllLinesAsync(Calls), path => path == users));
    }

    [Fact]
    public async Task Keys_MadeAndRetired_OutlastAPowerCut()
    {
        var configuration = await ConfigureAsync();
        var folder = Path.Combine(_root, "outside", "deep", "keys");
        var first = IdIn((await RunTracedAsync("keys", "rotate", "--now", "--config", configuration)).Succeeded());
        var calls = await File.ReadAllLinesAsync(Calls);
        Assert.Single(AssertDurable(calls, path => IsKeyIn(folder, path)));
        Assert.All([_root, Path.Combine(_root, "outside"), Path.Combine(_root, "outside", "deep")], made =>
            Assert.Contains(calls, call => SyncOf(call) == made)); // where the new folders have their names

        (await RunTracedAsync("keys", "rotate", "--now", "--config", configuration)).Succeeded();
        Assert.Single(AssertDurable(await File.ReadAllLinesAsync(Calls), path => IsKeyIn(folder, path)));

        (await RunTracedAsync("keys", "retire", first, "--yes", "--config", configuration)).Succeeded();
        calls = await File.ReadAllLinesAsync(Calls);
        var removal = Array.FindLastIndex(
            calls, call => Removed().Match(call) is { Success: true } one && IsKeyIn(folder, one.Groups["path"].Value));
        Assert.InRange(removal, 0, calls.Length);
        // Before anything else is done there, or a power cut would bring it back.
        var next = calls[(removal + 1)..].First(call => SyncOf(call) is not null || Renamed().IsMatch(call));
        Assert.Equal(folder, SyncOf(next));
    }

    [Fact]
    public async Task Restore_IntoFoldersThatAreMissing_OutlastsAPowerCut()
    {
        var configuration = await ConfigureAsync();
        (await GatewayProcess.RunCommandAsync(["keys", "rotate", "--now", "--config", configuration])).Succeeded();
        // makes the store
        (await GatewayProcess.RunCommandAsync(["token", "list", "--config", configuration])).Succeeded();
        var archive = Path.Combine(_root, "archive");
        (await GatewayProcess.RunCommandAsync(["backup", archive, "--config", configuration])).Succeeded();
        Directory.Delete(Path.Combine(_root, "outside"), recursive: true);

        (await RunTracedAsync("restore", archive, "--to", Path.Combine(_root, "restored"), "--absolute")).Succeeded();

        var calls = await File.ReadAllLinesAsync(Calls);
        Assert.NotEmpty(AssertDurable(calls, path => IsKeyIn(Path.Combine(_root, "outside", "deep", "keys"), path)));
        Assert.All([_root, Path.Combine(_root, "outside"), Path.Combine(_root, "outside", "deep")], made =>
            Assert.Contains(calls, call => SyncOf(call) == made));
    }

    [Fact]
    public async Task DevelopmentCertificates_InANewFolder_OutlastAPowerCut()
    {
        var folder = Path.Combine(_root, "new", "certs");
        (await RunTracedAsync("dev-cert", "--out", folder, "--name", TrustedHost.Name)).Succeeded();

        var calls = await File.ReadAllLinesAsync(Calls);
        Assert.Equal(4, AssertDurable(calls, path => Path.GetDirectoryName(path) == folder).Count);
        Assert.All([_root, Path.Combine(_root, "new")], made => Assert.Contains(calls, call => SyncOf(call) == made));
    }

    private static bool IsKeyIn(string folder, string path) =>
        Path.GetDirectoryName(path) == folder && path.EndsWith(".pem", StringComparison.Ordinal);

    private static string IdIn(string text) => KeyId().Match(text).Value;

    // A gateway of its own folder, whose signing keys lie outside it in folders that are not there yet.
    private async Task<string> ConfigureAsync()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_root, "gateway")).FullName;
        (await GatewayProcess.RunCommandAsync(
            ["dev-cert", "--out", Path.Combine(folder, "certs"), "--name", TrustedHost.Name])).Succeeded();
        (await GatewayProcess.RunCommandAsync(
            ["user", "add", "alice", "--file", Path.Combine(folder, "users.htpasswd")],
            new CliSettings { Input = "alice-password-1\n" })).Succeeded();
        Directory.CreateDirectory(Path.Combine(folder, "policies"));
        await File.WriteAllTextAsync(Path.Combine(folder, "policies", "policy.yaml"), GatewaySettings.SamplePolicy);
        var configuration = Path.Combine(folder, "gateway.yaml");
        await File.WriteAllTextAsync(configuration, $$"""
            publicUrl: https://{{TrustedHost.Name}}
            tls: { certificates: [ { certificate: certs/tls.crt, key: certs/tls.key } ] }
            registries: [ { name: main, upstreams: [ "http://127.0.0.1:5000" ] } ]
            authentication: { htpasswd: { file: users.htpasswd } }
            policies: policies
            tokens: { keys: { folder: {{_root}}/outside/deep/keys } }
            """);
        return configuration;
    }

    private Task<CliResult> RunTracedAsync(params string[] command)
    {
        File.Delete(Calls);
        return Cli.RunAsync("strace", Arguments(command));
    }

    private async Task AddUserAsync(string name) => (await GatewayProcess.RunCommandAsync(
        ["user", "add", name, "--file", Path.Combine(_root, "users.htpasswd")],
        new CliSettings { Input = $"{name}-password-1\n" })).Succeeded();

    private ProcessStartInfo Traced(params string[] command) => new("strace", Arguments(command));

    private string[] Arguments(params string[] command) =>
        ["--daemonize", "--seccomp-bpf", "--follow-forks", "--decode-fds=path", "--trace=fsync,fdatasync,rename,"
            + "renameat,renameat2,unlink,unlinkat", "--output", Calls, "dotnet", Program, .. command];

    // Every file of a kind that got its name: synced before under the name it had, its folder synced after. Gives their
    // paths.
    private static List<string> AssertDurable(string[] calls, Func<string, bool> isOfTheKind)
    {
        var paths = new List<string>();
        for (var i = 0; i < calls.Length; i++)
        {
            if (Renamed().Match(calls[i]) is { Success: true } rename && rename.Groups["to"].Value is var path
                && isOfTheKind(path))
            {
                Assert.Contains(calls[..i], call => SyncOf(call) == rename.Groups["from"].Value);
                Assert.True(
                    calls[(i + 1)..].Any(call => SyncOf(call) == Path.GetDirectoryName(path)),
                    $"{path} has its name, and the folder was not synced after that:\n{string.Join('\n', calls[i..])}");
                paths.Add(path);
            }
        }

        return paths;
    }

    private static string? SyncOf(string call) =>
        Synced().Match(call) is { Success: true } sync ? sync.Groups["path"].Value : null;

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

    // 4711 rename("/a/.b.tmp", "/a/b") = 0; with renameat2 the folders' descriptors stand before the names.
    [GeneratedRegex(
#pragma warning disable RCS0056 // one line of text
        """\A\d+ +rename(?:at2?)?\((?:AT_FDCWD(?:<[^>]*>)?, )?"(?<from>[^"]+)", (?:AT_FDCWD(?:<[^>]*>)?, )?"(?<to>[^"]+)".* = 0\z""")]
#pragma warning restore RCS0056
    private static partial Regex Renamed();

    // 4711 unlink("/a/b") = 0
    [GeneratedRegex("""\A\d+ +unlink(?:at)?\((?:AT_FDCWD(?:<[^>]*>)?, )?"(?<path>[^"]+)".* = 0\z""")]
    private static partial Regex Removed();

    [GeneratedRegex("""[A-Z2-7]{4}(?::[A-Z2-7]{4}){11}""")]
    private static partial Regex KeyId();

    // 4711 fsync(57</a>) = 0; another thread's call may stand between its two halves.
    [GeneratedRegex("""\A\d+ +f(?:data)?sync\(\d+<(?<path>[^>]+)>(?:\) += 0| <unfinished \.\.\.>)\z""")]
    private static partial Regex Synced();
}
