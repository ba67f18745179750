using System.CommandLine;
using Gateway.Commands;
using Gateway.Tests.Server.Requests.Tls;

namespace Gateway.Tests.Commands;

public sealed class DevCertCommandTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task DevCert_EmptyFolder_TellsWhatItMadeAndHowToTrustIt()
    {
        var (exitCode, output, error) = await RunAsync("dev-cert", "--out", _folder.Root, "--name", "registry.test");

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Equal(
            """
            created DIR/ca.crt
            created DIR/ca.key
            created DIR/tls.crt
            created DIR/tls.key

            Serve it (gateway.yaml):
              tls: { certificates: [ { certificate: DIR/tls.crt, key: DIR/tls.key } ] }
            Trust it, where clients reach the gateway as registry.test:8443 (put your port):
              docker                   mkdir -p /etc/docker/certs.d/registry.test:8443 && cp DIR/ca.crt /etc/docker/certs.d/registry.test:8443/ca.crt
              podman, buildah, skopeo  the same, under /etc/containers/certs.d/registry.test:8443/ca.crt
              containerd               ca = "DIR/ca.crt" in /etc/containerd/certs.d/registry.test:8443/hosts.toml
              curl                     --cacert DIR/ca.crt
              everything (Debian)      cp DIR/ca.crt /usr/local/share/ca-certificates/registry-gateway.crt && update-ca-certificates
            For development only: anyone who has ca.key can impersonate any host to those who trust ca.crt.

            """,
            output.Replace(_folder.Root, "DIR", StringComparison.Ordinal));
    }

    [Fact]
    public async Task DevCert_WithoutNames_CoversThisMachine()
    {
        await RunAsync("dev-cert", "--out", _folder["new"]);

        var (_, text) = await Tool.RunAsync(
            "", "openssl", "x509", "-in", _folder["new/tls.crt"], "-noout", "-ext", "subjectAltName");
        Assert.Contains("DNS:localhost", text, StringComparison.Ordinal);
        Assert.Contains("IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--name", "a b", "--name \"a b\" is not a host name.")]
    [InlineData("--name", "https://registry.test", "is not a host name.")]
    [InlineData("--name", "registry.test:5000", "is not a host name.")]
    [InlineData("--name", "127.0.0.1", "is not a host name.")]
    [InlineData("--name", "a.*.test", "is not a host name.")]
    [InlineData("--name", "bücher.test", "is not a host name.")]
    [InlineData("--ip", "registry.test", "--ip \"registry.test\" is not an IP address. Give names with --name.")]
    public async Task DevCert_WrongName_IsRefusedAndNothingMade(string option, string value, string message)
    {
        var (exitCode, _, error) = await RunAsync("dev-cert", "--out", _folder.Root, option, value);

        Assert.Equal(1, exitCode);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Root));
    }

    [Fact]
    public async Task DevCert_FolderCannotBeMade_SaysSo()
    {
        var file = _folder.Write("file", "");

        var (exitCode, _, error) = await RunAsync("dev-cert", "--out", file);

        Assert.Equal(1, exitCode);
        Assert.StartsWith($"{file}: the certificates cannot be written: ", error, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await GatewayCommand.Create().Parse(arguments)
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
        return (exitCode, output.ToString(), error.ToString());
    }
}
