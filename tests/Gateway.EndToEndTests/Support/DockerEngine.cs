using System.Diagnostics;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// A Docker Engine: the one that runs here, else a <c>dockerd</c> of the tests' own, which Dispose stops.
/// </summary>
public sealed class DockerEngine : IAsyncLifetime, IDockerEngine
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(60);

    // What a machine's kernel allows differs: the ordinary way first, then without layers, then without a firewall.
    private static readonly string[][] Ways =
    [
        [],
        ["--storage-driver=vfs"],
        ["--storage-driver=vfs", "--iptables=false", "--ip6tables=false", "--ip-masq=false"],
    ];

    private ServerProcess? _process;
    private string? _folder;
    private bool _hadBridge;

    /// <summary>
    /// The value of <c>DOCKER_HOST</c>, or <see langword="null"/> for the engine that the client finds by itself.
    /// </summary>
    public string? Host { get; private set; }

    public async Task InitializeAsync()
    {
        if ((await DockerAsync("version")).ExitCode == 0)
        {
            return;
        }

        _hadBridge = Directory.Exists("/sys/class/net/docker0");
        var problems = new List<string>();
        foreach (var way in Ways)
        {
            try
            {
                await StartAsync(way);
                return;
            }
            catch (InvalidOperationException exception)
            {
                problems.Add(exception.Message);
                await DisposeAsync();
            }
        }

        throw new InvalidOperationException("no dockerd could be started.\n" + string.Join('\n', problems));
    }

    public async Task DisposeAsync()
    {
        if (_process is null)
        {
            return; // somebody else's engine
        }

        await _process.DisposeAsync();
        _process = null;
        Host = null;
        await UnmountAsync(_folder!);
        Directory.Delete(_folder!, recursive: true);
        if (!_hadBridge && Directory.Exists("/sys/class/net/docker0"))
        {
            await Cli.RunAsync("ip", ["link", "delete", "docker0"]);
        }
    }

    /// <summary>Runs <c>docker</c> against this engine.</summary>
    internal Task<CliResult> DockerAsync(params string[] arguments) => DockerAsync(arguments, new CliSettings());

    /// <summary>Runs <c>docker</c> against this engine.</summary>
    internal Task<CliResult> DockerAsync(IEnumerable<string> arguments, CliSettings settings) =>
        Cli.RunAsync("docker", arguments, settings with { Environment = WithHost(settings.Environment) });

    /// <summary>Adds <c>DOCKER_HOST</c> to variables.</summary>
    internal IReadOnlyDictionary<string, string?> WithHost(IReadOnlyDictionary<string, string?> variables)
    {
        var all = new Dictionary<string, string?>(variables);
        if (Host is not null)
        {
            all["DOCKER_HOST"] = Host;
        }

        return all;
    }

    Task<CliResult> IDockerEngine.DockerAsync(IEnumerable<string> arguments, CliSettings settings) =>
        DockerAsync(arguments, settings);

    /// <summary>
    /// Takes back what a dockerd leaves: where the machine's mounts are private, it mounts its data on itself.
    /// </summary>
    internal static async Task UnmountAsync(string folder)
    {
        var mounts = File.ReadLines("/proc/self/mounts")
            .Select(static line => line.Split(' ')[1])
            .Where(mount => mount.StartsWith(folder + '/', StringComparison.Ordinal))
            .Reverse() // the innermost first
            .ToList();
        foreach (var mount in mounts)
        {
            (await Cli.RunAsync("umount", [mount])).Succeeded();
        }
    }

    private async Task StartAsync(string[] way)
    {
        _folder = Directory.CreateTempSubdirectory("gateway-docker-").FullName;
        Host = $"unix://{_folder}/docker.sock";
        var start = new ProcessStartInfo("dockerd", [
            "--data-root", Path.Combine(_folder, "data"),
            "--exec-root", Path.Combine(_folder, "exec"),
            "--pidfile", Path.Combine(_folder, "docker.pid"),
            "--host", Host,
            .. way,
        ]);
        _process = ServerProcess.Start("dockerd", start, Path.Combine(_folder, "dockerd.log"), StopTimeout);
        await _process.WaitUntilReadyAsync(async () => (await DockerAsync("version")).ExitCode == 0, StartTimeout);
    }
}
