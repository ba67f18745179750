using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary><c>docker</c> with a real engine, which does the talking to the registry.</summary>
internal sealed class DockerClient(ClientGateway gateway, IDockerEngine engine) : RegistryClient(gateway)
{
    private readonly HashSet<string> _images = [];

    /// <summary>Further environment variables.</summary>
    public Dictionary<string, string?> Environment { get; } = [];

    /// <summary>Where it keeps credentials.</summary>
    public string ConfigurationFile => Path.Combine(Folder, "config.json");

    public override Task<CliResult> LoginAsync(string user, string password) =>
        RunAsync(["login", "--username", user, "--password-stdin", Gateway.Authority], password);

    public override Task<CliResult> LogoutAsync() => RunAsync("logout", Gateway.Authority);

    public override async Task<CliResult> PushAsync(TestImage image, string name)
    {
        _images.Add(Remote(name));
        (await RunAsync("build", "--tag", Remote(name), image.BuildContext)).Succeeded();
        return await RunAsync("push", Remote(name));
    }

    public override async Task<CliResult> PullAsync(string name)
    {
        await RemoveImagesAsync();
        _images.Add(Remote(name));
        return await RunAsync("pull", Remote(name));
    }

    /// <summary>Runs <c>docker</c>.</summary>
    public Task<CliResult> RunAsync(params string[] arguments) => RunAsync(arguments, input: null);

    public override async ValueTask DisposeAsync()
    {
        await RemoveImagesAsync();
        await base.DisposeAsync();
    }

    private async Task RemoveImagesAsync()
    {
        if (_images.Count > 0)
        {
            await RunAsync(["image", "rm", "--force", .. _images]); // some are not there: a refused pull
            _images.Clear();
        }
    }

    private Task<CliResult> RunAsync(string[] arguments, string? input) => engine.DockerAsync(arguments, new CliSettings
    {
        Input = input,
        Environment = new Dictionary<string, string?>(Environment) { ["DOCKER_CONFIG"] = Folder },
    });
}
