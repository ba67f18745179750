using System.Diagnostics;
using System.Text.RegularExpressions;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.State;

/// <summary>
/// What must outlast a power cut, as the kernel was asked for it: each file is synced before it gets its name, and its folder
/// after that. strace(1), which traces from the side, writes down the calls of the built program.
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
        await GatewayProcess.RunCommandAsync(["dev-cert", "--out", Path.Combine(_root, "certs"), "--name", TrustedHost.Name]);
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
                "traced", Traced("serve", "--config", configuration), Path.Combine(_root, "log"), TimeSpan.FromSeconds(60));
            await gateway.WaitUntilReadyAsync(
                () => IsReadyAsync(client, new Uri($"http://127.0.0.1:{management}/readyz")), TimeSpan.FromSeconds(120));
        }

        var calls = await File.ReadAllLinesAsync(Calls);
        var state = Path.Combine(_root, "state");
        Assert.NotEmpty(AssertDurable(calls, path => path.StartsWith(state + "/", StringComparison.Ordinal) && path.EndsWith(".pem", StringComparison.Ordinal)));
        Assert.NotEmpty(AssertDurable(calls, path => path.StartsWith(state + "/", StringComparison.Ordinal) && path.EndsWith(".xml", StringComparison.Ordinal)));
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

    private async Task AddUserAsync(string name) => (await GatewayProcess.RunCommandAsync(
        ["user", "add", name, "--file", Path.Combine(_root, "users.htpasswd")],
        new CliSettings { Input = $"{name}-password-1\n" })).Succeeded();

    private ProcessStartInfo Traced(params string[] command) => new("strace", Arguments(command));

    private string[] Arguments(params string[] command) =>
        ["--daemonize", "--seccomp-bpf", "--follow-forks", "--decode-fds=path", "--trace=fsync,fdatasync,rename,renameat,renameat2", "--output", Calls, "dotnet", Program, .. command];

    // Every file of a kind that got its name: synced before under the name it had, its folder synced after. Gives their paths.
    private static List<string> AssertDurable(string[] calls, Func<string, bool> isOfTheKind)
    {
        var paths = new List<string>();
        for (var i = 0; i < calls.Length; i++)
        {
            if (Renamed().Match(calls[i]) is { Success: true } rename && rename.Groups["to"].Value is var path && isOfTheKind(path))
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

    private static string? SyncOf(string call) => Synced().Match(call) is { Success: true } sync ? sync.Groups["path"].Value : null;

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
    [GeneratedRegex("""\A\d+ +rename(?:at2?)?\((?:AT_FDCWD(?:<[^>]*>)?, )?"(?<from>[^"]+)", (?:AT_FDCWD(?:<[^>]*>)?, )?"(?<to>[^"]+)".* = 0\z""")]
    private static partial Regex Renamed();

    // 4711 fsync(57</a>) = 0; another thread's call may stand between its two halves.
    [GeneratedRegex("""\A\d+ +f(?:data)?sync\(\d+<(?<path>[^>]+)>(?:\) += 0| <unfinished \.\.\.>)\z""")]
    private static partial Regex Synced();
}
