using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Load;

/// <summary>
/// Minutes of mixed load while everything that can be read anew is read anew hundreds of times: no request fails for
/// it.
/// </summary>
/// <remarks>How long: <c>GATEWAY_SOAK_SECONDS</c>, 180 unless set.</remarks>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class SoakTests : IAsyncLifetime
{
    private const string Limits = """
        limits:
          timeout: 2s
          rules:
            - { name: pulls, classes: [pull], rate: 500000, window: 1h }
            - { name: pushes, classes: [push], per: [subject], rate: 500000, window: 1h }
            - { name: everything, classes: [pull, push, read, catalog, token], per: [everyone], rate: 1000000, window: 1h }
        """;

    private static readonly string[] Reloaded = ["policies", "htpasswd", "certificates", "limits"];

    private readonly RedisProcess _redis = new();
    private RegistryProcess? _registry;
    private GatewayProcess? _gateway;

    private static int Seconds => int.Parse(
        Environment.GetEnvironmentVariable("GATEWAY_SOAK_SECONDS") ?? "180", CultureInfo.InvariantCulture);

    public async Task InitializeAsync()
    {
        await _redis.StartAsync();
        _registry = await RegistryProcess.StartAsync();
        _gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = _registry.Address,
            Host = "localhost",
            MoreYaml = $$"""redis: { server: "{{_redis.Address}}", timeout: 5s }""" + "\n" + Limits,
        });
    }

    public async Task DisposeAsync()
    {
        await (_gateway?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_registry?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task MixedLoad_WhileAllIsReloadedHundredsOfTimes_FailsNoRequest()
    {
        var gateway = _gateway!;
        await PrepareCertificatesAsync(gateway);
        using var ending = new CancellationTokenSource();
        var served = new ConcurrentDictionary<string, int>();
        var reloads = ReloadAsync(gateway, ending.Token);
        var connections = ConnectAsync(gateway, served, ending.Token);
        var users = GatewaySettings.SampleUsers;

        var run = await LoadRun.RunAsync(
            "soak.js",
            string.Create(
                CultureInfo.InvariantCulture,
                $"GATEWAY_URL={gateway.PublicUrl} ALICE_PASSWORD={users["alice"]} BOB_PASSWORD={users["bob"]} VUS=4 "
                    + $"DURATION={Seconds}s LAYER_KIB=256 PAUSE_MS=20"),
            TimeSpan.FromSeconds(Seconds + 120),
            "--ca",
            gateway.AuthorityFile);
        await ending.CancelAsync();

        run.Succeeded();
        Assert.Equal("", run.Error);
        var writes = await reloads;
        var handshakes = await connections;
        var counts = Reloaded.ToDictionary(
            static name => name,
            name => Regex.Count(gateway.Log, $"{name} were reloaded and are in force", RegexOptions.NonBacktracking));
        var told = $"{writes} changes, {handshakes} handshakes, reloads: {string.Join(", ", counts)}";
        Assert.True(counts.Values.Sum() >= Math.Min(300, Seconds * 2), told);
        Assert.All(counts, count => Assert.True(count.Value >= Seconds / 4, told));
        Assert.Equal(2, served.Count); // both certificates were really served
        var refused = gateway.Log.Split('\n').Where(
            static line => line.Contains("the last good ones", StringComparison.Ordinal)).ToList();
        Assert.True(refused.Count == 0, string.Join('\n', refused));
        using var client = new HttpClient();
        using var ready = await client.GetAsync(new Uri(gateway.Management, "/readyz"));
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
    }

    // Two pairs of the same authority, and a link that leads to one of them: swapped at once, as Kubernetes does it.
    private static async Task PrepareCertificatesAsync(GatewayProcess gateway)
    {
        var folder = Path.Combine(gateway.Folder, "certs");
        var (first, second) = (Path.Combine(folder, "a"), Path.Combine(folder, "b"));
        Directory.CreateDirectory(first);
        Directory.CreateDirectory(second);
        foreach (var file in new[] { "tls.crt", "tls.key" })
        {
            File.Copy(Path.Combine(folder, file), Path.Combine(first, file));
        }

        // Beside the files in use: the gateway runs, and must never see a moment without them.
        foreach (var file in new[] { "ca.crt", "ca.key" })
        {
            File.Copy(Path.Combine(folder, file), Path.Combine(second, file));
        }

        (await GatewayProcess.RunCommandAsync(["dev-cert", "--out", second, "--name", "localhost"])).Succeeded();
        await SwapAsync(folder, "a");
        foreach (var file in new[] { "tls.crt", "tls.key" })
        {
            File.CreateSymbolicLink(Path.Combine(folder, file + ".new"), Path.Combine("current", file));
            File.Move(Path.Combine(folder, file + ".new"), Path.Combine(folder, file), overwrite: true);
        }
    }

    private static async Task SwapAsync(string folder, string pair)
    {
        var link = Path.Combine(folder, "current.new");
        File.CreateSymbolicLink(link, pair);
        // .NET moves no such link
        (await Cli.RunAsync("mv", ["-Tf", link, Path.Combine(folder, "current")])).Succeeded();
    }

    private static async Task<int> ReloadAsync(GatewayProcess gateway, CancellationToken cancellationToken)
    {
        var policyFile = Path.Combine(gateway.Folder, "policies", "policy.yaml");
        var policy = await File.ReadAllTextAsync(policyFile, CancellationToken.None);
        var users = await File.ReadAllTextAsync(gateway.UsersFile, CancellationToken.None);
        var carol = users.Split('\n')[0].Split(':')[1];
        var configuration = await File.ReadAllTextAsync(gateway.ConfigurationFile, CancellationToken.None);
        var count = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            count++;
            await ReplaceAsync(
                policyFile,
                policy + $"\n  - {{ name: round {count}, to: [user:carol], role: reader, on: [\"carol/**\"] }}\n");
            await ReplaceAsync(gateway.UsersFile, count % 2 == 0 ? users : users + $"carol:{carol}\n");
            await ReplaceAsync(
                gateway.ConfigurationFile,
                configuration.Replace("rate: 1000000,", $"rate: {900_000 + count},", StringComparison.Ordinal));
            await SwapAsync(Path.Combine(gateway.Folder, "certs"), count % 2 == 0 ? "a" : "b");

            // As often as it can take them up, more or less: two looks, half a second apart, must show them alike.
            await Task.Delay(1_100, CancellationToken.None);
        }

        return count;
    }

    private static async Task ReplaceAsync(string file, string text)
    {
        await File.WriteAllTextAsync(file + ".new", text);
        File.SetUnixFileMode(file + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(file + ".new", file, overwrite: true);
    }

    // New connections, which see the certificate in force; one that is refused fails the test.
    private static async Task<int> ConnectAsync(
        GatewayProcess gateway, ConcurrentDictionary<string, int> served, CancellationToken cancellationToken)
    {
        using var authority = X509CertificateLoader.LoadCertificateFromFile(gateway.AuthorityFile);
        var count = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, gateway.Port, CancellationToken.None);
            await using var tls = new SslStream(socket.GetStream());
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "localhost",
                    CertificateChainPolicy = new X509ChainPolicy
                    {
                        TrustMode = X509ChainTrustMode.CustomRootTrust,
                        RevocationMode = X509RevocationMode.NoCheck,
                        CustomTrustStore = { authority },
                    },
                },
                CancellationToken.None);
            served.AddOrUpdate(tls.RemoteCertificate!.GetSerialNumberString(), 1, static (_, times) => times + 1);
            count++;
            await Task.Delay(50, CancellationToken.None);
        }

        return count;
    }
}
