using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// Real clients with a client certificate and no password; authority, certificate and revocation made by the very
/// commands of docs/client-certificates.md.
/// </summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed partial class ClientCertificateTests(
    ClientsFixture stack, DockerEngine docker, ContainerdEngine containerd) : IAsyncLifetime
{
    private const string Policy = GatewaySettings.SamplePolicy + "\n" + """
          - { name: the build machine writes, to: [ user:ci-builder ], when: { method: certificate }, role: writer, on: [ "team-a/**" ] }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-clients-").FullName;
    private readonly TestImage _image = TestImage.Create(size: 1024);
    private GatewayProcess? _gateway;

    private string CertificateFolder => $"/etc/containers/certs.d/{_gateway!.Authority}";

    public async Task InitializeAsync()
    {
        await RunDocumentedAsync("authority");
        await RunDocumentedAsync("client");
        await RunDocumentedAsync("revocation");
        _gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = stack.Registry.Address,
            ListenAddress = TrustedHost.Address,
            Policy = Policy,
            Environment = new Dictionary<string, string?>
            {
                ["GATEWAY__Authentication__ClientCertificates__CertificateAuthorities"] = Path.Combine(
                    _folder, "clients-ca.crt"),
                ["GATEWAY__Authentication__ClientCertificates__RevocationLists__0"] = Path.Combine(
                    _folder, "clients-ca.crl"),
            },
        });
        stack.Host.Trust(_gateway.Authority, _gateway.AuthorityFile);
        foreach (var folder in new[] { $"/etc/docker/certs.d/{_gateway.Authority}", CertificateFolder })
        {
            File.Copy(Path.Combine(_folder, "client.cert"), Path.Combine(folder, "client.cert"));
            File.Copy(Path.Combine(_folder, "client.key"), Path.Combine(folder, "client.key"));
        }
    }

    public async Task DisposeAsync()
    {
        if (_gateway is not null)
        {
            await DockerAsync("image", "rm", "--force", Name("docker"));
            foreach (var folder in new[] { $"/etc/docker/certs.d/{_gateway.Authority}", CertificateFolder })
            {
                Directory.Delete(folder, recursive: true);
            }

            await _gateway.DisposeAsync();
        }

        _image.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Clients_CertificateAndNoPassword_PushAndPull()
    {
        (await DockerAsync("build", "--tag", Name("docker"), _image.BuildContext)).Succeeded();
        (await DockerAsync("push", Name("docker"))).Succeeded();
        (await DockerAsync("image", "rm", "--force", Name("docker"))).Succeeded();
        (await DockerAsync("pull", Name("docker"))).Succeeded();

        (await SkopeoAsync("copy", $"oci:{_image.OciLayout}:latest", $"docker://{Name("skopeo")}")).Succeeded();
        (await SkopeoAsync("inspect", "--raw", $"docker://{Name("skopeo")}")).Succeeded();
        (await SkopeoAsync("copy", $"oci:{_image.OciLayout}:latest", $"docker://{_gateway!.Authority}/team-b/app:1"))
            .FailedWith("user:ci-builder may not pull, push team-b/app: no rule grants");

        // The very same without the certificate.
        File.Delete(Path.Combine(CertificateFolder, "client.cert"));
        File.Delete(Path.Combine(CertificateFolder, "client.key"));
        Assert.NotEqual(0, (await SkopeoAsync("inspect", "--raw", $"docker://{Name("skopeo")}")).ExitCode);
        (await SkopeoAsync("inspect", "--raw", "--cert-dir", CertDir(), $"docker://{Name("skopeo")}")).Succeeded();
    }

    [Fact]
    public async Task DockerLogin_BesideACertificate_StillChecksThePassword()
    {
        (await DockerAsync("login", "--username", "alice", "--password", "wrong", _gateway!.Authority)).FailedWith(
            "unauthorized");
        (await DockerAsync(
            "login", "--username", "alice", "--password", ClientsFixture.PasswordOf("alice"), _gateway.Authority))
                .Succeeded();
        (await SkopeoAsync("login", "--username", "alice", "--password", "wrong", _gateway.Authority))
            .FailedWith("invalid username/password");
    }

    [Fact]
    public async Task Ctr_Certificate_Pulls()
    {
        (await SkopeoAsync("copy", $"oci:{_image.OciLayout}:latest", $"docker://{Name("ctr")}")).Succeeded();
        containerd.Trust(_gateway!.Authority, _gateway.AuthorityFile);
        var hosts = Path.Combine(containerd.HostsFolder, _gateway.Authority);
        File.WriteAllText(Path.Combine(hosts, "hosts.toml"), $"""
            server = "https://{_gateway.Authority}"
            [host."https://{_gateway.Authority}"]
              ca = "{hosts}/ca.crt"
              client = [["{_folder}/client.cert", "{_folder}/client.key"]]
            """);

        string[] pull = [
            "images", "pull", "--hosts-dir", containerd.HostsFolder, "--snapshotter", "native", Name("ctr"),
        ];
        (await containerd.CtrAsync(pull)).Succeeded();

        // What the machine's certificate may not pull, a person's password still may.
        await stack.Registry.PushAsync(_image, "team-b/certificate", "1");
        var other = $"{_gateway.Authority}/team-b/certificate:1";
        (await containerd.CtrAsync([.. pull[..^1], other])).FailedWith("403");
        (await containerd.CtrAsync([.. pull[..^1], "--user", $"bob:{ClientsFixture.PasswordOf("bob")}", other]))
            .Succeeded();
        (await containerd.CtrAsync("images", "rm", other)).Succeeded();
        (await containerd.CtrAsync("images", "rm", Name("ctr"))).Succeeded();
    }

    [Fact]
    public async Task Docker_CertificateRevoked_IsToldSo()
    {
        (await SkopeoAsync("copy", $"oci:{_image.OciLayout}:latest", $"docker://{Name("revoked")}")).Succeeded();

        await RunDocumentedAsync("revoke");
        await ClientGateway.UntilAsync(
            async () => (await SkopeoAsync("inspect", "--raw", $"docker://{Name("revoked")}")).ExitCode != 0);

        (await DockerAsync("pull", Name("revoked"))).FailedWith(
            "the client certificate is not accepted: it was revoked");
    }

    [GeneratedRegex(
        "^```sh (?<name>[a-z]+)\\n(?<commands>.+?)\\n```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();

    private string Name(string repository) => $"{_gateway!.Authority}/team-a/certificate-{repository}:1";

    // A folder with the three files that the option's manual names.
    private string CertDir()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "cert-dir")).FullName;
        File.Copy(_gateway!.AuthorityFile, Path.Combine(folder, "ca.crt"));
        File.Copy(Path.Combine(_folder, "client.cert"), Path.Combine(folder, "client.cert"));
        File.Copy(Path.Combine(_folder, "client.key"), Path.Combine(folder, "client.key"));

        return folder;
    }

    private async Task RunDocumentedAsync(string name)
    {
        var page = await File.ReadAllTextAsync(Path.Combine(TestPaths.Repository, "docs", "client-certificates.md"));
        var commands = Assert.Single(
            Blocks().Matches(page), block => block.Groups["name"].Value == name).Groups["commands"].Value;
        (await Cli.RunAsync("bash", ["-euc", commands], new CliSettings { Folder = _folder, Input = "y\ny\n" }))
            .Succeeded();
    }

    private Task<CliResult> DockerAsync(params string[] arguments) => docker.DockerAsync(arguments, new CliSettings
    {
        Environment = new Dictionary<string, string?> { ["DOCKER_CONFIG"] = _folder },
    });

    private Task<CliResult> SkopeoAsync(params string[] arguments) => Cli.RunAsync("skopeo", arguments, new CliSettings
    {
        Environment = new Dictionary<string, string?> { ["REGISTRY_AUTH_FILE"] = Path.Combine(_folder, "auth.json") },
    });
}
