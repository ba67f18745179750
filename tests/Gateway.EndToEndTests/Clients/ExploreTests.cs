using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

[Collection(SharedMachine.Name)]
public sealed class ExploreTests(DockerEngine engine)
{
    [Fact]
    public async Task Explore()
    {
        if (!File.Exists("/tmp/explore/go"))
        {
            return;
        }

        using var image = TestImage.Create(256 * 1024);
        await using var registry = await RegistryProcess.StartAsync();
        await using var host = await TrustedHost.CreateAsync();
        await using var gateway = await ClientGateway.StartAsync(host, new GatewaySettings { Upstream = registry.Address, MoreYaml = File.ReadAllText("/tmp/explore/go") });
        var containerd = new ContainerdEngine();
        await containerd.InitializeAsync();
        containerd.Trust(gateway.Authority, gateway.Process.AuthorityFile);
        File.WriteAllText("/tmp/explore/env", $"""
            export H={gateway.Authority} CA={gateway.Process.AuthorityFile} FOLDER={gateway.Process.Folder} DOCKER_HOST={engine.Host} OCI={image.OciLayout} CTX={image.BuildContext}
            export CTR="ctr --address {Path.GetDirectoryName(containerd.HostsFolder)}/containerd.sock" HOSTSDIR={containerd.HostsFolder} REG={registry.Address}
            """);
        while (File.Exists("/tmp/explore/go"))
        {
            await Task.Delay(100);
            var trace = gateway.Take();
            File.AppendAllLines("/tmp/explore/trace", trace.Select(r => r + (r.Challenge.Length > 0 ? "\n      " + r.Challenge : "") + (r.Status == 0 ? " PENDING" : "") + " " + r.Protocol));
        }

        await containerd.DisposeAsync();
    }
}
