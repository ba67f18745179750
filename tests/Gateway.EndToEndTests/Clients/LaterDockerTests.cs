using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>docker of Debian's newest suite, with the engine's own image store.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class LaterDockerTests(ClientsFixture stack, LaterDockerTests.Engine engine)
    : LaterDockerTestsBase(stack, "docker-" + engine.Version, engine), IClassFixture<LaterDockerTests.Engine>
{
    /// <summary>With its own store.</summary>
    public sealed class Engine(ClientsFixture stack) : LaterDockerEngine(
        stack.Gateway.Process.AuthorityFile, "--storage-driver=vfs", "--feature=containerd-snapshotter=false");
}
