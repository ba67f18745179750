using Gateway.Client.Doctor.Client;
using Gateway.Client.Trust;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Trust;

namespace Gateway.Tests.Client.Trust;

/// <summary>What differs by machine: who asks, and how containerd and the system are set up.</summary>
public sealed class TrustPlannerTests : IDisposable
{
    private readonly TrustFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void NotRoot_GetsPodmansOwnFolder_AndIsToldOfTheRest()
    {
        _files.Place("/etc/containers/registries.conf");
        _files.Place("/etc/docker/daemon.json", "{}");

        var plan = Plan(isPrivileged: false);

        Assert.Equal($"/home/dev/.config/containers/certs.d/{TrustFiles.Name}/ca.crt", Assert.Single(plan.Steps).Path);
        Assert.Contains("--client docker --install", Assert.Single(plan.ByHand).Block, StringComparison.Ordinal);
        Assert.Equal(2, Plan(isPrivileged: true).Steps.Count);
    }

    public static TheoryData<string?, string?> ConfigPaths => new()
    {
        { null, "# or containerd 2.x" },
        { "version = 2\n", "grpc.v1.cri" },
        { "version = 3\n", "cri.v1.images" },
        { "oom_score = 0\n", "[plugins.cri.registry]" },
        { "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"\"\n", "grpc.v1.cri" },
        { "version = 3\n[plugins.'io.containerd.grpc.v1.cri'.registry]\n", "cri.v1.images" },
        { "version = [\n", "# or containerd 2.x" },
        { "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"/etc/containerd/certs.d\"\n",
            null },
        { "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = "
            + "'/etc/docker/certs.d:/etc/containerd/certs.d'\n", null },
        { "disabled_plugins = [\"cri\"]\n", null },
        { "version = 2\nimports = [\"conf.d/*.toml\"]\n", null },
    };

    [Theory]
    [MemberData(nameof(ConfigPaths))]
    public void Containerd_ConfigPath_IsAskedForWhereItIsMissing(string? config, string? lines)
    {
        _files.Place(
            "/etc/containerd/conf.d/registry.toml",
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = "
                + "\"/etc/containerd/certs.d\"\n");
        if (config is not null)
        {
            _files.Place("/etc/containerd/config.toml", config);
        }

        var plan = Plan(clients: TrustClient.Containerd);

        Assert.Equal(["ca.crt", "hosts.toml"], plan.Steps.Select(static step => Path.GetFileName(step.Path)));
        Assert.All(
            plan.Steps,
            static step => Assert.StartsWith(
                $"/etc/containerd/certs.d/{TrustFiles.Name}/", step.Path, StringComparison.Ordinal));
        Assert.Equal(lines is not null, plan.ByHand.Count > 0);
        if (lines is not null)
        {
            Assert.Contains(lines, plan.ByHand[0].Block, StringComparison.Ordinal);
        }

        // Unasked it is said as well, but nothing that was asked for is missing.
        var unasked = Plan();
        Assert.Empty(unasked.ByHand);
        Assert.True(unasked.Notes.Count > 0 || lines is null);
    }

    [Fact]
    public void Containerd_AnotherFolderInConfigPath_IsTheOneThatIsFilled()
    {
        _files.Place(
            "/etc/containerd/config.toml",
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"/srv/hosts\"\n");
        var plan = Plan(clients: TrustClient.Containerd);
        Assert.Equal(
            [$"/srv/hosts/{TrustFiles.Name}/ca.crt", $"/srv/hosts/{TrustFiles.Name}/hosts.toml"],
            plan.Steps.Select(static step => step.Path));
        Assert.Contains(
            $"ca = \"/srv/hosts/{TrustFiles.Name}/ca.crt\"", plan.Steps[1].Content, StringComparison.Ordinal);
    }

    [Fact]
    public void Containerd_OldMirrors_AreWarnedOf()
    {
        _files.Place(
            "/etc/containerd/config.toml",
            "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"docker.io\"]\nendpoint = "
                + "[\"https://m.example\"]\n");
        Assert.Contains(
            "containerd does not start with both", Assert.Single(Plan(clients: TrustClient.Kubernetes).ByHand).Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Kubernetes_IsContainerdOrCrio()
    {
        Assert.Contains("/containerd/", Plan(clients: TrustClient.Kubernetes).Steps[0].Path, StringComparison.Ordinal);
        _files.Place("/etc/crio/crio.conf");
        var step = Assert.Single(Plan(clients: TrustClient.Kubernetes).Steps);
        Assert.Equal($"/etc/containers/certs.d/{TrustFiles.Name}/ca.crt", step.Path);
        _files.Place("/etc/containerd/config.toml", "version = 2\n");
        Assert.Equal(3, Plan(clients: TrustClient.Kubernetes).Steps.Count);
    }

    [Theory]
    [InlineData("/usr/local/share/ca-certificates/x", "/usr/local/share/ca-certificates/", "update-ca-certificates")]
    [InlineData("/usr/bin/update-ca-certificates", "/usr/local/share/ca-certificates/", "update-ca-certificates")]
    [InlineData("/etc/pki/ca-trust/source/anchors/x", "/etc/pki/ca-trust/source/anchors/", "update-ca-trust")]
    [InlineData("/etc/pki/trust/anchors/x", "/etc/pki/trust/anchors/", "update-ca-certificates")]
    public void System_BySystem(string there, string folder, string command)
    {
        _files.Place(there);
        var plan = Plan(clients: TrustClient.System);
        Assert.Equal(
            (folder + "registry-example-com-8443.crt", command), (Assert.Single(plan.Steps).Path, plan.Command));
        Assert.Throws<ProblemException>(() => Plan()); // never unasked
    }

    [Fact]
    public void All_IsWhatIsInstalled_AndTheSystem()
    {
        _files.Place("/etc/docker/daemon.json", "{}");
        _files.Place("/usr/local/share/ca-certificates/x");
        Assert.Equal(
            [$"/etc/docker/certs.d/{TrustFiles.Name}/ca.crt", "/usr/local/share/ca-certificates/registry-example-com-"
                + "8443.crt"],
            Plan(new TrustSelection(new HashSet<TrustClient>(), IsAll: true), isPrivileged: true).Steps.Select(
                static step => step.Path));
        Assert.Single(Plan().Steps);
    }

    private TrustPlan Plan(bool isPrivileged = true, params TrustClient[] clients) =>
        Plan(new TrustSelection(clients.ToHashSet(), IsAll: false), isPrivileged);

    private TrustPlan Plan(TrustSelection selection, bool isPrivileged)
    {
        Assert.True(RegistryName.TryParse(TrustFiles.Name, out var name));
        var machine = new ClientMachine(
            _files.Root, new Dictionary<string, string> { ["HOME"] = "/home/dev", ["PATH"] = "/usr/bin" });
        return new TrustPlanner(
            new TrustMachine(machine, isPrivileged), name,
            PrivateAuthorityReader.Read(_files.File, "--ca", TimeProvider.System.GetUtcNow())).Plan(selection);
    }
}
