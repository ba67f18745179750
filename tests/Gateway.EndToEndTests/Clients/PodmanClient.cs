using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary><c>podman</c> or <c>buildah</c>: the same commands, storage and credentials.</summary>
internal sealed class PodmanClient : RegistryClient
{
    private readonly ClientProgram _program;

    public PodmanClient(ClientGateway gateway, string program)
        : this(gateway, ClientProgram.Of(program))
    {
    }

    public PodmanClient(ClientGateway gateway, ClientProgram program)
        : base(gateway)
    {
        _program = program;
        // It refuses to run where the file that it is told of does not exist; the one it knows by itself may be
        // missing.
        File.WriteAllText(CredentialsFile, "{}");
    }

    /// <summary>Further environment variables.</summary>
    public Dictionary<string, string?> Environment { get; } = [];

    /// <summary>Where it keeps credentials.</summary>
    public string CredentialsFile => Path.Combine(Folder, "auth.json");

    public override Task<CliResult> LoginAsync(string user, string password) =>
        RunAsync(["login", "--username", user, "--password-stdin", Gateway.Authority], password);

    public override Task<CliResult> LogoutAsync() => RunAsync("logout", Gateway.Authority);

    public override async Task<CliResult> PushAsync(TestImage image, string name)
    {
        (await RunAsync("pull", $"oci:{image.OciLayout}:latest")).Succeeded();
        var id = (await RunAsync("images", "--quiet", "--no-trunc")).Succeeded();
        return await RunAsync("push", id, $"docker://{Remote(name)}");
    }

    public override async Task<CliResult> PullAsync(string name)
    {
        (await RunAsync("rmi", "--all", "--force")).Succeeded();
        return await RunAsync("pull", Remote(name));
    }

    /// <summary>Runs the program.</summary>
    public Task<CliResult> RunAsync(params string[] arguments) => RunAsync(arguments, input: null);

    public override async ValueTask DisposeAsync()
    {
        await RunAsync("rmi", "--all", "--force");
        await base.DisposeAsync();
    }

    // Storage of the test's own; vfs needs nothing of the kernel.
    private Task<CliResult> RunAsync(string[] arguments, string? input) => _program.RunAsync(
        [
            "--root", Path.Combine(Folder, "storage"), "--runroot", Path.Combine(Folder, "run"), "--storage-driver",
            "vfs",
            .. arguments,
        ],
        new CliSettings
        {
            Input = input,
            Environment = new Dictionary<string, string?>(Environment)
            {
                ["REGISTRY_AUTH_FILE"] = CredentialsFile,
                ["PODMAN_IGNORE_CGROUPSV1_WARNING"] = "1",
            },
        });
}
