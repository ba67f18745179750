using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>ctr and containerd of Debian's newest suite.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class LaterContainerdTests(ClientsFixture stack, LaterContainerdEngine engine)
    : LaterClientTests(stack, "ctr-" + engine.Version, new ContainerdClient(stack.Gateway, engine)),
        IClassFixture<LaterContainerdEngine>
{
    private protected override bool LoginAsks => false;

    private protected override string[] WrongPassword => ["failed to fetch oauth token", "401 Unauthorized"];

    private protected override string[] PullRefusal => ["403 Forbidden"];
}
