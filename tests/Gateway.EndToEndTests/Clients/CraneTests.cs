using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>crane, and what is built on its library.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class CraneTests(ClientsFixture stack)
    : LaterClientTests(stack, "crane-" + CraneClient.Program.Version, new CraneClient(stack.Gateway))
{
    private protected override bool LoginAsks => false;

    private protected override string[] WrongPassword =>
        ["UNAUTHORIZED: authentication failed: the user name or password is wrong"];
}
