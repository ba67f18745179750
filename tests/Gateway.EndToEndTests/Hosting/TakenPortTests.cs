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
        Assert.Contains(
            $"listen.https: the port is in use (found \"127.0.0.1:{port}\")", line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "state")));
    }

    [Fact]
    public async Task Serve_ASecondTime_SaysSoInALineAListener()
    {
        await using var upstream = new YesUpstream();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings { Upstream = upstream.Address });

        var serve = await GatewayProcess.RunCommandAsync(["serve", "--config", gateway.ConfigurationFile]);

        Assert.Equal(1, serve.ExitCode);
        Assert.Equal("", serve.Output);
        var lines = serve.Error.TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.Contains(
            $"listen.https: the port is in use (found \"127.0.0.1:{gateway.Port}\")", lines[0],
            StringComparison.Ordinal);
        Assert.Contains("listen.management: the port is in use (found ", lines[1], StringComparison.Ordinal);
    }

    // One that is replaced without a gap: the first has the control socket, the second all else.
    [Fact]
    public async Task Serve_OnTheStateFolderOfARunningOne_WarnsOfTheControlSocketOnly()
    {
        await using var upstream = new YesUpstream();
        await using var first = await GatewayProcess.StartAsync(new GatewaySettings { Upstream = upstream.Address });
        var state = Path.Combine(first.Folder, "state");
        await using var second = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = upstream.Address,
            Environment = new Dictionary<string, string?>
            {
                ["GATEWAY__State__Folder"] = state,
                ["GATEWAY__Log__Level"] = "information",
            },
        });

        Assert.Equal(0, await second.TerminateAsync());
        var lines = second.Log.TrimEnd('\n').Split('\n');
        Assert.All(lines, static line => Assert.Matches(@"\A20\S+Z (info|warn): ", line)); // no error, no stack trace
        Assert.Single(lines, line => line.Contains(
            $"warn: Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions[1802] There is no control socket at "
            + $"{state}/control.sock: another gateway with the same state folder already listens there.",
            StringComparison.Ordinal));
    }
}
