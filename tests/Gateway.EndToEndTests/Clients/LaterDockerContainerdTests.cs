using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>docker of Debian's newest suite, with containerd's image store.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class LaterDockerContainerdTests(ClientsFixture stack, LaterDockerContainerdTests.Engine engine)
    : LaterDockerTestsBase(stack, "docker-containerd-" + engine.Version, engine),
        IClassFixture<LaterDockerContainerdTests.Engine>
{
    // A pull begins with HEAD of the manifest, whose refusal has no words.
    private protected override string[] PullRefusal => ["403 Forbidden"];

    /// <summary>With containerd's store.</summary>
    public sealed class Engine(ClientsFixture stack) : LaterDockerEngine(
        stack.Gateway.Process.AuthorityFile, "--storage-driver=native", "--feature=containerd-snapshotter=true");
}
