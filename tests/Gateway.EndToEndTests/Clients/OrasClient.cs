using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary><c>oras</c>, as Helm and other programs built on its library talk to registries.</summary>
internal sealed class OrasClient(ClientGateway gateway, ClientProgram? program = null) : RegistryClient(gateway)
{
    private readonly ClientProgram _program = program ?? ClientProgram.Later("trixie", "oras");

    /// <summary>Where it keeps credentials: docker's file.</summary>
    public string CredentialsFile => Path.Combine(Folder, "config.json");

    public override Task<CliResult> LoginAsync(string user, string password) => RunAsync(
        [
            "login", "--username", user, "--password-stdin", "--ca-file", Gateway.Process.AuthorityFile,
            Gateway.Authority,
        ], password);

    public override Task<CliResult> LogoutAsync() => RunAsync("logout", Gateway.Authority);

    public override Task<CliResult> PushAsync(TestImage image, string name) => RunAsync(
        "cp", "--from-oci-layout", $"{image.OciLayout}:latest", "--to-ca-file", Gateway.Process.AuthorityFile,
        Remote(name));

    public override Task<CliResult> PushAgainAsync(TestImage image, string from, string name) => RunAsync(
        "cp", "--from-ca-file", Gateway.Process.AuthorityFile, Remote(from),
        "--to-ca-file", Gateway.Process.AuthorityFile, Remote(name));

    public override Task<CliResult> PullAsync(string name)
    {
        var folder = Path.Combine(Folder, "pulled");
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        return RunAsync(
            "cp", "--from-ca-file", Gateway.Process.AuthorityFile, Remote(name), "--to-oci-layout", $"{folder}:latest");
    }

    /// <summary>Deletes what a tag points to, and so every tag of it.</summary>
    public Task<CliResult> DeleteAsync(string name) => RunAsync(
        "manifest", "delete", "--force", "--ca-file", Gateway.Process.AuthorityFile, Remote(name));

    /// <summary>Runs <c>oras</c>.</summary>
    public Task<CliResult> RunAsync(params string[] arguments) => RunAsync(arguments, input: null);

    private async Task<CliResult> RunAsync(string[] arguments, string? input)
    {
        for (var attempt = 1; ; attempt++)
        {
            var result = await _program.RunAsync(arguments, new CliSettings
            {
                Input = input,
                Environment = new Dictionary<string, string?> { ["DOCKER_CONFIG"] = Folder },
            });

            // Its own fault: two errors of different types at the same moment end it (oras-go,
            // internal/syncutil/limit.go).
            if (attempt == 3
                || !result.Text.Contains("compare and swap of inconsistently typed value", StringComparison.Ordinal))
            {
                return result;
            }
        }
    }
}
