using System.Diagnostics;
using Gateway.Foundation.Trust;
using Gateway.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Gateway.Tests.Client.Trust;

/// <summary>The DaemonSet: its YAML, and its script with a real shell.</summary>
public sealed class KubernetesManifestTests : IDisposable
{
    private const string Host = "/host/containerd/certs.d/registry.example.com:8443";
    private readonly TrustFiles _files = new();
    private readonly TemporaryFolder _node = new();
    private readonly YamlMappingNode _map;
    private readonly string _script;

    public KubernetesManifestTests()
    {
        Assert.True(RegistryName.TryParse(TrustFiles.Name, out var name));
        var yaml = new YamlStream();
        yaml.Load(
            new StringReader(KubernetesManifest.Write(name, PrivateAuthority.PemOf(_files.Authority.Certificate))));
        Assert.Equal(2, yaml.Documents.Count);
        _map = (YamlMappingNode)yaml.Documents[0].RootNode;
        var pod = (YamlMappingNode)yaml.Documents[1].RootNode["spec"]["template"]["spec"];
        _script = ((YamlScalarNode)pod["initContainers"][0]["args"][0]).Value!;
        Assert.All(
            ((YamlSequenceNode)pod["initContainers"][0]["volumeMounts"]).Children,
            // Kubernetes refuses it there
            static mount => Assert.DoesNotContain(':', ((YamlScalarNode)mount["mountPath"]).Value!));
        _node.Write("trust/ca.crt", Data("ca.crt"));
        _node.Write("trust/hosts.toml", Data("hosts.toml"));
        _node.Write("host/containerd/config.toml", "version = 2\n");
    }

    public void Dispose()
    {
        _files.Dispose();
        _node.Dispose();
    }

    [Fact]
    public void Script_FreshNode_WritesForBothRuntimes()
    {
        var (code, output) = Run();

        Assert.Equal(0, code);
        Assert.Equal(Data("ca.crt"), Read(Host + "/ca.crt"));
        Assert.Equal(Data("hosts.toml"), Read(Host + "/hosts.toml"));
        Assert.Equal(Data("ca.crt"), Read("/host/containers/certs.d/registry.example.com:8443/ca.crt"));
        Assert.Contains("config_path = \"/etc/containerd/certs.d\"", output, StringComparison.Ordinal);
        Assert.Contains(_files.Authority.Certificate.ExportCertificatePem(), Data("ca.crt"), StringComparison.Ordinal);

        // Again, and where config_path is set.
        _node.Write(
            "host/containerd/config.toml",
            "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\n  config_path = "
                + "'/etc/containerd/certs.d'\n");
        Assert.Equal((0, ""), Run());
        Assert.False(File.Exists(_node.Path + Host + "/ca.crt.before-trust"));
    }

    [Fact]
    public void Script_OtherFilesThere_AreKept()
    {
        _node.Write(Host[1..] + "/ca.crt", "another's");
        Assert.Equal(0, Run().Code);
        Assert.Equal("another's", Read(Host + "/ca.crt.before-trust"));

        _node.Write(Host[1..] + "/hosts.toml", "server = \"https://other\"\n");
        var (code, output) = Run();
        Assert.Equal(1, code);
        Assert.Contains("was not changed", output, StringComparison.Ordinal);
        Assert.Equal("server = \"https://other\"\n", Read(Host + "/hosts.toml"));
    }

    private string Data(string key) => ((YamlScalarNode)_map["data"][key]).Value!;

    private string Read(string path) => File.ReadAllText(_node.Path + path);

    private (int Code, string Output) Run()
    {
        var script = _script.Replace("/host/", _node.Path + "/host/", StringComparison.Ordinal).Replace(
            "/trust/", _node.Path + "/trust/", StringComparison.Ordinal);
        using var process = Process.Start(
            new ProcessStartInfo("sh", ["-euc", script]) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
