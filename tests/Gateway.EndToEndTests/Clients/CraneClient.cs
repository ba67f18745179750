using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary><c>crane</c>, as kaniko, ko and other programs built on its library talk to registries.</summary>
internal sealed class CraneClient(ClientGateway gateway) : RegistryClient(gateway)
{
    /// <summary>The program.</summary>
    public static ClientProgram Program { get; } = ClientProgram.Later("sid", "crane");

    public override Task<CliResult> LoginAsync(string user, string password) =>
        RunAsync("auth", "login", "--username", user, "--password", password, Gateway.Authority);

    public override Task<CliResult> LogoutAsync() => RunAsync("auth", "logout", Gateway.Authority);

    public override Task<CliResult> PushAsync(TestImage image, string name) =>
        RunAsync("push", image.OciLayout, Remote(name));

    public override Task<CliResult> PushAgainAsync(TestImage image, string from, string name) =>
        RunAsync("copy", Remote(from), Remote(name));

    public override Task<CliResult> PullAsync(string name) =>
        RunAsync("pull", Remote(name), Path.Combine(Folder, "pulled.tar"));

    private Task<CliResult> RunAsync(params string[] arguments) => Program.RunAsync(arguments, new CliSettings
    {
        Environment = new Dictionary<string, string?>
        {
            ["DOCKER_CONFIG"] = Folder,
            ["SSL_CERT_FILE"] = Gateway.Process.AuthorityFile,
        },
    });
}
