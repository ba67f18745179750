using System.Globalization;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Stack;

/// <summary>
/// A stack that <c>compose/up</c> starts with state, ports and names of its own, so that it disturbs none that runs
/// here. Dispose ends it and removes its data.
/// </summary>
internal sealed class ComposeStack : IAsyncDisposable
{
    // Building an image and the program on two cores takes a minute; the rest is for a slow machine.
    private static readonly TimeSpan UpTimeout = TimeSpan.FromMinutes(8);
    private static readonly TimeSpan DownTimeout = TimeSpan.FromMinutes(2);

    private readonly Dictionary<string, string?> _environment;

    /// <param name="host">The name clients use.</param>
    /// <param name="address">The address the gateway listens on.</param>
    /// <param name="dockerHost">The engine's address; <see langword="null"/> for the one that the client finds.</param>
    public ComposeStack(string host, string address, string? dockerHost)
    {
        State = Directory.CreateTempSubdirectory("gateway-state-").FullName;
        Port = TestPaths.FreePort();
        ManagementPort = TestPaths.FreePort();
        RegistryPort = TestPaths.FreePort();
        RedisPort = TestPaths.FreePort();
        Authority = string.Create(CultureInfo.InvariantCulture, $"{host}:{Port}");
        Project = Path.GetFileName(State).ToLowerInvariant();
        _environment = new Dictionary<string, string?>
        {
            ["GATEWAY_STATE"] = State,
            ["GATEWAY_HOST"] = host,
            ["GATEWAY_BIND"] = address,
            ["GATEWAY_PORT"] = Port.ToString(CultureInfo.InvariantCulture),
            ["GATEWAY_MANAGEMENT_PORT"] = ManagementPort.ToString(CultureInfo.InvariantCulture),
            ["GATEWAY_REGISTRY_PORT"] = RegistryPort.ToString(CultureInfo.InvariantCulture),
            ["GATEWAY_REDIS_PORT"] = RedisPort.ToString(CultureInfo.InvariantCulture),
            ["GATEWAY_IMAGE"] = "registry-gateway:test",
            ["COMPOSE_PROJECT_NAME"] = Project,
            ["CI"] = null,
        };
        if (dockerHost is not null)
        {
            _environment["DOCKER_HOST"] = dockerHost;
        }
    }

    /// <summary>The folder that is otherwise <c>compose/.state</c>.</summary>
    public string State { get; }

    /// <summary>The name of its containers and networks begins with it.</summary>
    public string Project { get; }

    /// <summary>What clients call it, <c>host:port</c>.</summary>
    public string Authority { get; }

    public int Port { get; }

    public int ManagementPort { get; }

    public int RegistryPort { get; }

    public int RedisPort { get; }

    /// <summary>The password that <c>compose/up</c> made for a user.</summary>
    public string PasswordOf(string user) =>
        File.ReadLines(Path.Combine(State, "credentials")).Single(
            line => line.StartsWith(user + ':', StringComparison.Ordinal))[(user.Length + 1)..];

    /// <summary>The id of a process that runs natively.</summary>
    public int ProcessIdOf(string name) => int.Parse(
        File.ReadAllText(Path.Combine(State, "run", name + ".pid")).Split(' ')[0], CultureInfo.InvariantCulture);

    public Task<CliResult> UpAsync(params string[] options) => RunAsync("up", options, UpTimeout, _environment);

    /// <param name="variables">Take the place of the stack's own.</param>
    /// <param name="options">The script's options.</param>
    public Task<CliResult> UpAsync(IReadOnlyDictionary<string, string?> variables, params string[] options)
    {
        var environment = new Dictionary<string, string?>(_environment);
        foreach (var (name, value) in variables)
        {
            environment[name] = value;
        }

        return RunAsync("up", options, UpTimeout, environment);
    }

    public Task<CliResult> DownAsync(params string[] options) => RunAsync("down", options, DownTimeout, _environment);

    /// <summary>The variables the scripts are run with.</summary>
    public IReadOnlyDictionary<string, string?> Environment => _environment;

    public async ValueTask DisposeAsync()
    {
        foreach (var name in new[] { "registry", "redis", "gateway" })
        {
            TestPaths.KeepLog(Path.Combine(State, "logs", name + ".log"), "stack-" + name);
        }

        var written = await ReadGatewayLogAsync();
        var passwords = ReadPasswords();
        await DownAsync("--purge");
        if (Directory.Exists(State))
        {
            Directory.Delete(State, recursive: true);
        }

        foreach (var (user, password) in passwords)
        {
            Secrets.Know(user, password);
        }

        Secrets.AssertNotIn(written);
    }

    private async Task<string> ReadGatewayLogAsync()
    {
        var file = Path.Combine(State, "logs", "gateway.log");
        return File.Exists(file) ? await File.ReadAllTextAsync(file) : "";
    }

    private List<(string User, string Password)> ReadPasswords()
    {
        var file = Path.Combine(State, "credentials");
        return !File.Exists(file)
            ? []
            : [.. File.ReadLines(file).Where(static line => line.Contains(':', StringComparison.Ordinal))
            .Select(static line => (line.Split(':')[0], line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..]))];
    }

    private static Task<CliResult> RunAsync(
        string script, string[] options, TimeSpan timeout, IReadOnlyDictionary<string, string?> environment) =>
            Cli.RunAsync(
        Path.Combine(TestPaths.Repository, "compose", script), options, new CliSettings
        {
            Timeout = timeout,
            Folder = Path.GetTempPath(), // the scripts find the repository by themselves
            Environment = environment,
        });
}
