using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary><c>skopeo</c>, which copies between registries and folders without a daemon.</summary>
internal sealed class SkopeoClient(ClientGateway gateway, ClientProgram? program = null) : RegistryClient(gateway)
{
    private readonly ClientProgram _program = program ?? ClientProgram.Of("skopeo");

    /// <summary>Where it keeps credentials.</summary>
    public string CredentialsFile => Path.Combine(Folder, "auth.json");

    /// <summary>Where it pulled the last image to: an OCI layout.</summary>
    public string Pulled => Path.Combine(Folder, "pulled");

    public override Task<CliResult> LoginAsync(string user, string password) =>
        RunAsync(["login", "--username", user, "--password-stdin", Gateway.Authority], password);

    public override Task<CliResult> LogoutAsync() => RunAsync("logout", Gateway.Authority);

    public override Task<CliResult> PushAsync(TestImage image, string name) =>
        RunAsync("copy", $"oci:{image.OciLayout}:latest", $"docker://{Remote(name)}");

    public override Task<CliResult> PushAgainAsync(TestImage image, string from, string name) =>
        RunAsync("copy", $"docker://{Remote(from)}", $"docker://{Remote(name)}");

    public override Task<CliResult> PullAsync(string name)
    {
        if (Directory.Exists(Pulled))
        {
            Directory.Delete(Pulled, recursive: true);
        }

        return RunAsync("copy", $"docker://{Remote(name)}", $"oci:{Pulled}:latest");
    }

    /// <summary>Deletes what a tag points to, and so every tag of it.</summary>
    public Task<CliResult> DeleteAsync(string name) => RunAsync("delete", $"docker://{Remote(name)}");

    /// <summary>Runs <c>skopeo</c>.</summary>
    public Task<CliResult> RunAsync(params string[] arguments) => RunAsync(arguments, input: null);

    private Task<CliResult> RunAsync(string[] arguments, string? input) => _program.RunAsync(arguments, new CliSettings
    {
        Input = input,
        Environment = new Dictionary<string, string?> { ["REGISTRY_AUTH_FILE"] = CredentialsFile },
    });
}
