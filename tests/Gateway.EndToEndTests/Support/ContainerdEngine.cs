using System.Diagnostics;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// A <c>containerd</c> of the tests' own, for <c>ctr</c>: own root, state and socket. Dispose stops it.
/// </summary>
public class ContainerdEngine : IAsyncLifetime
{
    private readonly string _programs;

    /// <summary>Where a client trusts an authority: <c>--hosts-dir</c>.</summary>
    public string HostsFolder => Path.Combine(_folder, "hosts");

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-containerd-").FullName;
    private ServerProcess? _process;

    /// <summary>This Debian's.</summary>
    public ContainerdEngine()
        : this("")
    {
    }

    /// <param name="programs">The folder of its programs; empty: where the PATH has them.</param>
    protected ContainerdEngine(string programs) => _programs = programs;

    /// <summary>What a later version wants besides.</summary>
    protected virtual string MoreConfiguration => "";

    private string Address => Path.Combine(_folder, "containerd.sock");

    public async Task InitializeAsync()
    {
        // Pulling and pushing needs its content store only; nothing of it runs containers or listens for Kubernetes.
        var configuration = Path.Combine(_folder, "config.toml");
        await File.WriteAllTextAsync(configuration, $"""
            version = 2
            root = "{Path.Combine(_folder, "root")}"
            state = "{Path.Combine(_folder, "state")}"
            disabled_plugins = [
              "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
              "io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt",
            ]
            [grpc]
              address = "{Address}"
            [ttrpc]
              address = "{Address}.ttrpc"
            {MoreConfiguration}
            """);
        var start = new ProcessStartInfo(Path.Combine(_programs, "containerd"), ["--config", configuration]);
        _process = ServerProcess.Start("containerd", start, Path.Combine(_folder, "containerd.log"), StopTimeout);
        await _process.WaitUntilReadyAsync(async () => (await CtrAsync("version")).ExitCode == 0, StartTimeout);
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Runs <c>ctr</c> against this engine.</summary>
    internal Task<CliResult> CtrAsync(params string[] arguments) => Cli.RunAsync(
        Path.Combine(_programs, "ctr"), ["--address", Address, .. arguments]);

    /// <summary>
    /// Lets clients that are given <see cref="HostsFolder"/> trust an authority, as containerd's manual says.
    /// </summary>
    internal void Trust(string authority, string certificateFile)
    {
        var folder = Path.Combine(HostsFolder, authority);
        Directory.CreateDirectory(folder);
        File.Copy(certificateFile, Path.Combine(folder, "ca.crt"), overwrite: true);
    }
}
