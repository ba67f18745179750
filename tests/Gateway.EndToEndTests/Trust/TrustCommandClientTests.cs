using System.Diagnostics.CodeAnalysis;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Trust;

/// <summary>
/// <c>gateway trust --install</c> on this machine, and real clients before and after it. The folders are those of a
/// port of the test's own, so nothing else sees them.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class TrustCommandClientTests : IAsyncLifetime
{
    private const string Unknown = "certificate signed by unknown authority";

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-trust-").FullName;
    private readonly TestImage _image = TestImage.Create(size: 1024);
    private RegistryProcess? _registry;
    private GatewayProcess? _gateway;

    private string Authority => _gateway!.Authority;

    private string Folder => $"/etc/containers/certs.d/{Authority}";

    public async Task InitializeAsync()
    {
        _registry = await RegistryProcess.StartAsync();
        _gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = _registry.Address,
            Host = "localhost",
            Environment = new Dictionary<string, string?> { ["GATEWAY__Tls__Authority"] = "certs/ca.crt" },
        });
    }

    public async Task DisposeAsync()
    {
        if (_gateway is not null)
        {
            if (Directory.Exists(Folder))
            {
                Directory.Delete(Folder, recursive: true);
            }

            await _gateway.DisposeAsync();
        }

        if (_registry is not null)
        {
            await _registry.DisposeAsync();
        }

        _image.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Install_PodmanAndSkopeo_TrustTheRegistryAfterIt()
    {
        (await PodmanLogInAsync()).FailedWith(Unknown);
        (await SkopeoPushAsync()).FailedWith(Unknown);

        // Without --yes it asks, and nobody is there to answer; --dry-run writes nothing.
        (await TrustAsync("--client", "podman", "--install")).FailedWith("Give --yes");
        (await TrustAsync("--client", "podman", "--install", "--dry-run")).Succeeded();
        Assert.False(Directory.Exists(Folder));
        (await PodmanLogInAsync()).FailedWith(Unknown);

        var said = (await TrustAsync("--client", "podman", "--install", "--yes")).Succeeded();

        Assert.Contains($"wrote {Folder}/ca.crt", said, StringComparison.Ordinal);
        (await PodmanLogInAsync()).Succeeded();
        (await SkopeoPushAsync()).Succeeded();
    }

    [Fact]
    public async Task Page_File_IsWhatTheCommandTakes()
    {
        using var client = _gateway!.CreateClient();
        var file = Path.Combine(_folder, "ca.crt");
        await File.WriteAllTextAsync(file, await client.GetStringAsync(new Uri("/trust/ca.crt", UriKind.Relative)));
        var said = (await GatewayProcess.RunCommandAsync(["trust", "--ca", file, "--host", Authority])).Succeeded();

        var fingerprint = said.Split('\n').Single(
            static line => line.StartsWith("SHA-256", StringComparison.Ordinal))[7..].Trim();
        Assert.Contains(
            fingerprint, await client.GetStringAsync(new Uri("/trust", UriKind.Relative)), StringComparison.Ordinal);
        var openssl =
            (await Cli.RunAsync(
                "openssl", ["x509", "-in", _gateway.AuthorityFile, "-noout", "-sha256", "-fingerprint"])).Succeeded();
        Assert.EndsWith("=" + fingerprint, openssl, StringComparison.Ordinal);
    }

    // Host and authority are the configuration's.
    private Task<CliResult> TrustAsync(params string[] arguments) => GatewayProcess.RunCommandAsync(
        ["trust", "--config", _gateway!.ConfigurationFile, .. arguments],
        new CliSettings
        {
            Environment = new Dictionary<string, string?> { ["GATEWAY__Tls__Authority"] = "certs/ca.crt" },
        });

    private Task<CliResult> PodmanLogInAsync() => Cli.RunAsync(
        "podman",
        [
            "--root", Path.Combine(_folder, "storage"), "--runroot", Path.Combine(_folder, "run"), "--storage-driver",
            "vfs",
            "login", "--authfile", Path.Combine(_folder, "auth.json"), "--username", "alice", "--password-stdin",
            Authority,
        ],
        new CliSettings { Input = GatewaySettings.SampleUsers["alice"] });

    private Task<CliResult> SkopeoPushAsync() => Cli.RunAsync(
        "skopeo",
        [
            "copy", "--dest-creds", $"alice:{GatewaySettings.SampleUsers["alice"]}",
            $"oci:{_image.OciLayout}:latest", $"docker://{Authority}/team-a/trust:1",
        ]);
}
