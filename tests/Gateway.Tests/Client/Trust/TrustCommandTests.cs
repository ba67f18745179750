#pragma warning disable CA1416 // the tests run on Linux
using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Gateway.Client.Doctor.Client;
using Gateway.Commands;
using Gateway.Foundation.Trust;
using Gateway.Tests.Server.Requests.Tls;

namespace Gateway.Tests.Client.Trust;

/// <summary><c>gateway trust</c> as it is typed, on a machine below a folder. The tests write as root does.</summary>
public sealed class TrustCommandTests : IDisposable
{
    private const string Name = TrustFiles.Name;
    private const string Docker = $"/etc/docker/certs.d/{Name}/ca.crt";
    private const string Podman = $"/etc/containers/certs.d/{Name}/ca.crt";
    private const string Containerd = $"/etc/containerd/certs.d/{Name}/ca.crt";
    private const string Hosts = $"/etc/containerd/certs.d/{Name}/hosts.toml";

    private readonly TrustFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Print_ShowsEveryClientsFiles_AndWritesNothing()
    {
        var (code, output, error) = await RunAsync();

        Assert.Equal((0, ""), (code, error));
        Assert.Empty(_files.Everything());
        Assert.All(
            [
                Docker, Podman, Hosts, "config_path = \"/etc/containerd/certs.d\"", "kind: DaemonSet",
                "update-ca-certificates", "update-ca-trust",
                "security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain",
                "certutil -addstore -f ROOT",
                PrivateAuthority.FingerprintOf(_files.Authority.Certificate), "CN=Test authority",
                _files.Authority.Certificate.ExportCertificatePem(),
            ],
            text => Assert.Contains(text, output, StringComparison.Ordinal));
        Assert.DoesNotContain("DaemonSet", (await RunAsync("--client", "docker")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_WritesWhatIsInstalled_AndTheDoctorsReadersTrustIt()
    {
        _files.Place("/etc/docker/daemon.json", "{}");
        _files.Place("/etc/containers/registries.conf");
        _files.Place("/etc/containerd/config.toml", "version = 2\n");
        var before = _files.Everything();

        var (code, output, error) = await RunAsync("--install", "--yes");

        Assert.Equal((0, ""), (code, error));
        var pem = PrivateAuthority.PemOf(_files.Authority.Certificate);
        var written = _files.Everything().Where(file => !before.ContainsKey(file.Key)).ToDictionary();
        Assert.Equal([Containerd, Hosts, Podman, Docker], written.Keys.Order(StringComparer.Ordinal));
        Assert.All([Docker, Podman, Containerd], path => Assert.Equal(pem, written[path]));
        Assert.Contains($"wrote {Docker}", output, StringComparison.Ordinal);
        Assert.All(written.Keys, path => Assert.Equal("644", Mode(path)));
        Assert.Equal("755", Mode(Path.GetDirectoryName(Docker)!));
        AssertTrusts("docker", "containerd", "podman, skopeo and buildah");

        // Once more: nothing is left to do.
        Assert.Contains("nothing to write", (await RunAsync("--install", "--yes")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_NamedClient_IsToldThoughItIsNotInstalled()
    {
        Assert.Equal(0, (await RunAsync("--install", "--yes", "--client", "podman")).Code);
        Assert.Equal([Podman], _files.Everything().Keys);

        // The neighbour: nobody named, nobody there.
        using var empty = new TrustFiles();
        var (code, _, error) = await RunAsync(empty, "--install", "--yes");
        Assert.Equal(78, code);
        Assert.Contains("no client is installed", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DryRun_WritesNothing()
    {
        _files.Place("/etc/docker/daemon.json", "{}");
        _files.Place("/usr/local/share/ca-certificates/x");
        var before = _files.Everything();

        var (code, output, _) = await RunAsync("--install", "--dry-run", "--yes", "--client", "all");

        Assert.Equal(0, code);
        Assert.Contains(Docker, output, StringComparison.Ordinal);
        Assert.Contains("run      update-ca-certificates", output, StringComparison.Ordinal);
        Assert.Equal(before, _files.Everything());
    }

    [Fact]
    public async Task Install_OtherAuthorityThere_IsKeptBesideAndSaid()
    {
        var other = PrivateAuthority.PemOf(TestAuthority.CreateRoot("Another").Certificate);
        _files.Place(Docker, other);

        var (code, output, _) = await RunAsync("--install", "--yes", "--client", "docker");

        Assert.Equal(0, code);
        Assert.Contains("another authority: CN=Another", output, StringComparison.Ordinal);
        Assert.Equal(other, _files.Read(Docker + ".before-trust"));
        Assert.Equal(PrivateAuthority.PemOf(_files.Authority.Certificate), _files.Read(Docker));

        // What was kept is not lost by the next one.
        _files.Place(Docker, "garbage");
        Assert.Contains(
            "the existing file is not a certificate",
            (await RunAsync("--install", "--yes", "--client", "docker")).Output, StringComparison.Ordinal);
        Assert.Equal(other, _files.Read(Docker + ".before-trust"));
        Assert.Equal("garbage", _files.Read(Docker + ".before-trust.2"));
    }

    [Fact]
    public async Task Install_BundleThatHoldsIt_IsLeftAlone()
    {
        var bundle = PrivateAuthority.PemOf(TestAuthority.CreateRoot("Another").Certificate)
            + PrivateAuthority.PemOf(_files.Authority.Certificate);
        _files.Place(Docker, bundle);
        Assert.Contains(
            "has it already", (await RunAsync("--install", "--yes", "--client", "docker")).Output,
            StringComparison.Ordinal);
        Assert.Equal(bundle, _files.Read(Docker));
    }

    [Theory]
    [InlineData(
        $"server = \"https://{Name}\"\n[host.\"https://mirror.example.com\"]\n  capabilities = [\"pull\"]\n", true)]
    [InlineData($"[host.\"https://{Name}\"]\n  skip_verify = true\n", true)]
    [InlineData("server = [\n", true)]
    [InlineData($"[host.\"https://{Name}\"]\n  capabilities = [\"pull\"]\n  ca = [\"ca.crt\"]\n", false)]
    [InlineData($"server = \"https://{Name}\"\nca = \"{Containerd}\"\n", false)]
    public async Task Install_HostsTomlOfOthers_IsNotRewrittenByGuess(string hosts, bool isByHand)
    {
        _files.Place(Hosts, hosts);

        var (code, output, _) = await RunAsync("--install", "--yes");

        Assert.Equal(isByHand ? 1 : 0, code);
        Assert.Equal(hosts, _files.Read(Hosts));
        Assert.Equal(isByHand, output.Contains("was not changed", StringComparison.Ordinal));
        Assert.Equal(isByHand, output.Contains($"    [host.\"https://{Name}\"]", StringComparison.Ordinal));
        Assert.Equal(PrivateAuthority.PemOf(_files.Authority.Certificate), _files.Read(Containerd));
    }

    [Fact]
    public async Task Install_SystemsStore_HasAFileForEachCertificate()
    {
        _files.Place("/usr/local/share/ca-certificates/x");
        var next = TestAuthority.CreateRoot("The next").Certificate;
        File.AppendAllText(_files.File, PrivateAuthority.PemOf(next));

        var (code, output, _) = await RunAsync("--install", "--yes", "--client", "system");

        Assert.Equal(0, code);
        Assert.Equal(
            PrivateAuthority.PemOf(next),
            _files.Read("/usr/local/share/ca-certificates/registry-example-com-8443-2.crt"));
        Assert.Contains("not run: update-ca-certificates", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_FolderThatIsAFile_IsSaid()
    {
        _files.Place("/etc/docker", "");
        var (code, _, error) = await RunAsync("--install", "--yes", "--client", "docker");
        Assert.Equal(78, code);
        Assert.Contains($"{Docker}: the file cannot be written (found ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("the registry is missing", "--ca", "CA")]
    [InlineData(
        "clients cannot use this as the name of a registry (found \"http://x\")", "--ca", "CA", "--host", "http://x")]
    [InlineData("authority's certificate is missing", "--host", "registry.example.com")]
    [InlineData(
        "If https://registry.example.com/trust/ca.crt offers it, compare its fingerprint", "--host",
        "registry.example.com")]
    [InlineData("no such file (found \"", "--host", "registry.example.com", "--ca", "/nowhere/ca.crt")]
    public async Task Refusals(string expected, params string[] arguments)
    {
        var (code, output, error) = await InvokeAsync([.. arguments.Select(one => one == "CA" ? _files.File : one)]);
        Assert.Equal((78, ""), (code, output));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("flatpak")]
    [InlineData("1")]
    [InlineData("docker,podman")]
    public async Task Client_Unknown_IsRefused(string client)
    {
        var (code, _, error) = await RunAsync("--client", client);
        Assert.NotEqual(0, code);
        Assert.Contains($"no such client (found \"{client}\")", error, StringComparison.Ordinal);
    }

    private void AssertTrusts(params string[] clients)
    {
        var question = new ClientQuestion(new Uri("https://" + Name))
        {
            Machine = new ClientMachine(
                _files.Root, new Dictionary<string, string> { ["HOME"] = "/root", ["PATH"] = "/usr/bin" }),
        };
        var stores = TrustStores.Find(question);
        Assert.Equal(clients, stores.Select(static store => store.Client));
        var leaf = _files.Authority.Issue(["registry.example.com"]).Certificate;
        foreach (var store in stores)
        {
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.CustomTrustStore.AddRange(store.Authorities);
            Assert.True(chain.Build(leaf), store.Client);
            Assert.Null(store.Misnamed);
        }
    }

    private string Mode(string path) => Convert.ToString((int)File.GetUnixFileMode(_files.Root + path), 8);

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] more) => RunAsync(_files, more);

    private static Task<(int Code, string Output, string Error)> RunAsync(TrustFiles files, params string[] more) =>
        InvokeAsync(["--ca", files.File, "--host", Name, "--root", files.Root, .. more]);

    private static async Task<(int Code, string Output, string Error)> InvokeAsync(string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await GatewayCommand.Create().Parse(["trust", .. arguments])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
