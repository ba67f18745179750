using System.Diagnostics;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// Docker's engine and command of Debian's newest suite, with one of its two image stores, beside whatever engine runs
/// here: everything of its own, a bridge included. Dispose stops it.
/// </summary>
public abstract class LaterDockerEngine : IAsyncLifetime, IDockerEngine
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-docker-").FullName;
    private readonly string _authorityFile;
    private readonly string[] _store;
    private readonly ClientProgram _docker = ClientProgram.Later("sid", "docker", "docker-cli");
    private ServerProcess? _process;

    /// <param name="authorityFile">
    /// Whom the engine trusts besides <c>certs.d</c>: with containerd's store that alone does not reach the token
    /// endpoint.
    /// </param>
    /// <param name="store">The arguments that choose its store.</param>
    protected LaterDockerEngine(string authorityFile, params string[] store)
    {
        _authorityFile = authorityFile;
        _store = store;
    }

    /// <summary>Major and minor version.</summary>
    internal string Version => _docker.Version;

    // Names of interfaces have 15 characters at most.
    private string Bridge => "gw" + Path.GetFileName(_folder)[^6..];

    private string Host => $"unix://{_folder}/docker.sock";

    public async Task InitializeAsync()
    {
        // Not the default bridge, which belongs to another engine, nor none at all, which would delete that one's.
        (await Cli.RunAsync("ip", ["link", "add", Bridge, "type", "bridge"])).Succeeded();
        // RFC 5737: nobody's
        (await Cli.RunAsync("ip", ["address", "add", "203.0.113.1/30", "dev", Bridge])).Succeeded();
        (await Cli.RunAsync("ip", ["link", "set", Bridge, "up"])).Succeeded();
        var usr = Path.Combine(TestPaths.Later("sid", "root"), "usr");
        var start = new ProcessStartInfo(Path.Combine(usr, "sbin", "dockerd"), [
            "--data-root", Path.Combine(_folder, "data"),
            "--exec-root", Path.Combine(_folder, "exec"),
            "--pidfile", Path.Combine(_folder, "docker.pid"),
            "--host", Host,
            "--bridge", Bridge, "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false",
            .. _store,
        ]);
        // Its own containerd; runc is the machine's, since a later one wants later libraries.
        start.Environment["PATH"] = $"{usr}/bin:{usr}/sbin:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["SSL_CERT_FILE"] = _authorityFile;
        _process = ServerProcess.Start("dockerd", start, Path.Combine(_folder, "dockerd.log"), StopTimeout);
        await _process.WaitUntilReadyAsync(
            async () => (await DockerAsync(["version"], new CliSettings())).ExitCode == 0, StartTimeout);
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        await Cli.RunAsync("ip", ["link", "delete", Bridge]);
        await DockerEngine.UnmountAsync(_folder);
        Directory.Delete(_folder, recursive: true);
    }

    Task<CliResult> IDockerEngine.DockerAsync(IEnumerable<string> arguments, CliSettings settings) =>
        DockerAsync(arguments, settings);

    private Task<CliResult> DockerAsync(IEnumerable<string> arguments, CliSettings settings) => _docker.RunAsync(
        arguments,
        settings with
        {
            Environment = new Dictionary<string, string?>(settings.Environment)
            {
                ["DOCKER_HOST"] = Host,
                ["DOCKER_BUILDKIT"] = "0", // its successor is a plugin of its own, which is not here
            },
        });
}
