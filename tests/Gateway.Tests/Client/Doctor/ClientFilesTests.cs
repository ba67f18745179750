using System.Text;
using Gateway.Client.Doctor;
using Gateway.Client.Doctor.Client;
using Gateway.Tests.Server.Requests.Tls;
using Gateway.Tests.Support;

namespace Gateway.Tests.Client.Doctor;

/// <summary>
/// The files of docker, podman and containerd, in every odd shape; and what they make each client trust.
/// </summary>
public sealed class ClientFilesTests : IDisposable
{
    private const string Name = "registry.example.com:8443";
    private const string Config = "root/.docker/config.json";

    private static readonly string Login = Convert.ToBase64String(Encoding.UTF8.GetBytes("alice:sesame-open"));

    private readonly TemporaryFolder _root = new();
    private readonly string _pem = TestAuthority.CreateRoot().Certificate.ExportCertificatePem();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("registry.example.com:8443")]
    [InlineData("https://registry.example.com:8443")]
    [InlineData("https://registry.example.com:8443/v2/")]
    [InlineData("http://registry.example.com:8443/v1/")]
    public void StoredLogin_KeysWithSchemeOrPath_AreTheSame(string key)
    {
        _root.Write(Config, "{\"auths\":{\"" + key + "\":{\"auth\":\"" + Login + "\"}}}");
        Assert.Equal(("alice", "sesame-open", false), ClientFiles.StoredLoginOf(Question()));
    }

    [Theory]
    [InlineData("{\"auths\":[]}")]
    [InlineData("{\"auths\":7,\"credHelpers\":[],\"credsStore\":{}}")]
    [InlineData("{\"auths\":{\"registry.example.com:8443\":7}}")]
    [InlineData("{\"auths\":{\"registry.example.com:8443\":{\"auth\":7,\"identitytoken\":[]}}}")]
    [InlineData("{\"auths\":{\"registry.example.com:8443\":{\"auth\":\"!!\"}}}")]
    [InlineData("{\"auths\":{\"registry.example.com\":{\"auth\":\"YTpi\"}}}")]
    [InlineData("{\"credHelpers\":{\"registry.example.com:8443\":7}}")]
    [InlineData("")]
    public async Task Config_OddShapes_HoldNoLogin_AndBreakNothing(string text)
    {
        _root.Write(Config, text);
        Assert.Null(ClientFiles.StoredLoginOf(Question()));
        Assert.DoesNotContain(await LookAsync(), static finding => finding.Id == "DCK008");
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{")]
    public async Task Config_NoJsonObject_IsNamed(string text)
    {
        _root.Write(Config, text);
        Assert.Contains(await LookAsync(), static finding => finding.Id == "DCK008");
    }

    [Theory]
    [InlineData("../../../tmp/x")]
    [InlineData("x;reboot")]
    [InlineData("x y")]
    [InlineData("")]
    public async Task Helper_NameThatIsNone_IsNotRun(string helper)
    {
        _root.Write(Config, System.Text.Json.JsonSerializer.Serialize(new { credsStore = helper }));
        Assert.Contains(await LookAsync(), static finding => finding.Id == "DCK004");
    }

    [Fact]
    public void ProgramOf_FoldersNamedFromTheRootOnly()
    {
        _root.Write("usr/bin/docker-credential-x", "");
        var machine = Machine(("PATH", ".:bin:/usr/bin"));
        Assert.Equal(Path.Combine(_root.Path, "usr/bin/docker-credential-x"), machine.ProgramOf("docker-credential-x"));
        Assert.Null(Machine(("PATH", ".:usr/bin")).ProgramOf("docker-credential-x"));
    }

    [Fact]
    public void Read_HugeFile_LinkOut_DotDot_Device_AreNotRead()
    {
        using var elsewhere = new TemporaryFolder();
        var secret = elsewhere.Write("secret", "secret");
        _root.Write("huge", new string('x', (1 << 20) + 1));
        File.CreateSymbolicLink(Path.Combine(_root.Path, "out"), secret);
        Directory.CreateSymbolicLink(Path.Combine(_root.Path, "folder"), elsewhere.Path);
        File.CreateSymbolicLink(Path.Combine(_root.Path, "in"), Path.Combine(_root.Path, "plain"));
        _root.Write("plain", "plain");
        var machine = Machine();
        Assert.Null(machine.Read("/huge"));
        Assert.Null(machine.Read("/out"));
        Assert.Null(machine.Read("/folder/secret"));
        Assert.Null(machine.Read($"/../../../../../..{secret}"));
        Assert.Equal(["/folder/secret", "/huge", "/out"], machine.Unread.Select(static one => one.Path));
        Assert.Equal("plain", machine.Read("/in")); // the neighbours
        Assert.Equal("plain", machine.Read("/plain"));
        Assert.Equal("", new ClientMachine("/", new Dictionary<string, string>()).Read("/dev/zero"));
    }

    [Theory]
    [InlineData("ca = \"ca.pem\"", 1)]
    [InlineData("ca = [\"ca.pem\", \"/etc/other.pem\"]", 2)]
    [InlineData("server = \"https://registry.example.com:8443\"\nca = \"ca.pem\"", 1)]
    [InlineData("server = \"https://upstream.example.com\"\nca = \"ca.pem\"", 0)]
    [InlineData("[host.\"https://registry.example.com:8443\"]\nca = \"ca.pem\"", 1)]
    [InlineData("[host.\"registry.example.com:8443\"]\nca = \"ca.pem\"", 1)]
    [InlineData("[host.\"https://mirror.example.com\"]\nca = \"ca.pem\"\nskip_verify = true", 0)]
    [InlineData("ca = 7", 0)]
    [InlineData("ca = \"nowhere.pem\"", 0)]
    [InlineData("= broken", 0)]
    public void Containerd_HostsToml_SaysWhomItTrusts(string text, int authorities)
    {
        foreach (var folder in new[] { Name, "_default" })
        {
            _root.Write($"etc/containerd/certs.d/{folder}/hosts.toml", text);
            _root.Write($"etc/containerd/certs.d/{folder}/ca.pem", _pem);
            _root.Write($"etc/containerd/certs.d/{folder}/ca.crt", _pem);
            _root.Write("etc/other.pem", TestAuthority.CreateRoot("Other").Certificate.ExportCertificatePem());
            var question = Question();
            var store = Assert.Single(TrustStores.Find(question));
            Assert.Equal((authorities, false), (store.Authorities.Count, store.SkipsVerification));
            Assert.Equal(text.StartsWith('='), question.Machine.Unread.Count > 0);
            Directory.Delete(Path.Combine(_root.Path, "etc/containerd/certs.d/" + folder), recursive: true);
        }
    }

    [Fact]
    public void Containerd_SkipVerify_OfTheRegistryItself()
    {
        _root.Write(
            "etc/containerd/certs.d/registry.example.com_8443_/hosts.toml",
            $"[host.\"https://{Name}\"]\nskip_verify = true");
        Assert.True(Assert.Single(TrustStores.Find(Question())).SkipsVerification);
    }

    [Theory]
    [InlineData("registry.example.com:8443", true)]
    [InlineData("registry.example.com", false)] // another name to docker
    [InlineData("10.0.0.0/8", false)]
    public void Docker_InsecureRegistries_ByTheWholeName(string entry, bool isInsecure)
    {
        _root.Write("etc/docker/daemon.json", $$"""{"insecure-registries":[7,"{{entry}}"]}""");
        Assert.Equal(isInsecure, TrustStores.IsInsecureForDocker(Machine(), Question()));
        Assert.True(
            entry[0] != '1'
                || TrustStores.IsInsecureForDocker(
                    Machine(), Question() with { Url = new Uri("https://10.1.2.3:5000") }));
    }

    [Theory]
    [InlineData("[[registry]]\nlocation = \"registry.example.com:8443\"\ninsecure = true", true)]
    [InlineData("[[registry]]\nprefix = \"registry.example.com:8443/team-a\"\nlocation = \"x\"\ninsecure = true", true)]
    [InlineData("[[registry]]\nlocation = \"registry.example.com:8443\"", false)]
    [InlineData("[[registry]]\nlocation = \"other.example.com\"\ninsecure = true", false)]
    [InlineData("registry = 7", false)]
    public void Podman_RegistriesConf_IsRead(string text, bool isInsecure)
    {
        _root.Write("etc/containers/registries.conf", text);
        Assert.Equal(isInsecure, TrustStores.IsInsecureForPodman(Machine(), Question()));
    }

    private ClientMachine Machine(params (string Name, string Value)[] environment) =>
        new(_root.Path, environment.ToDictionary(static one => one.Name, static one => one.Value));

    private ClientQuestion Question() => new(new Uri("https://" + Name)) { Machine = Machine(("PATH", "/bin")) };

    private async Task<IReadOnlyList<Finding>> LookAsync()
    {
        var diagnosis = new Diagnosis();
        using var visit = new ClientVisit(Question(), TimeProvider.System, diagnosis);
        Assert.True(await ClientFiles.LookAsync(visit, CancellationToken.None));
        return diagnosis.Findings;
    }
}
