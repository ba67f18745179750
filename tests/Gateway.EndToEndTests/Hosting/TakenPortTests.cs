using System.Net;
using System.Net.Sockets;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Hosting;

/// <summary>A start on a port that somebody else has.</summary>
public sealed class TakenPortTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-port-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Serve_PortTaken_SaysSoInOneLineAndOpensNoStore()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        (await GatewayProcess.RunCommandAsync(["dev-cert", "--out", _folder, "--name", "localhost"])).Succeeded();
        await File.WriteAllTextAsync(Path.Combine(_folder, "users.htpasswd"), "");
        Directory.CreateDirectory(Path.Combine(_folder, "policies"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "policies", "none.yaml"), "rules: []\n");
        var configuration = Path.Combine(_folder, "gateway.yaml");
        await File.WriteAllTextAsync(configuration, $$"""
            publicUrl: https://localhost
            listen: { https: "127.0.0.1:{{port}}", management: "127.0.0.1:0" }
            tls: { certificates: [ { certificate: tls.crt, key: tls.key } ] }
            registries: [ { name: main, upstreams: [ "http://127.0.0.1:1" ] } ]
            authentication: { htpasswd: { file: users.htpasswd } }
            policies: policies
            """);

        var serve = await GatewayProcess.RunCommandAsync(["serve", "--config", configuration]);

        Assert.Equal(1, serve.ExitCode);
        Assert.Equal("", serve.Output);
        var line = Assert.Single(serve.Error.TrimEnd('\n').Split('\n'));
        Assert.Contains($"listen.https: the port is in use (found \"127.0.0.1:{port}\")", line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "state")));
    }
}
