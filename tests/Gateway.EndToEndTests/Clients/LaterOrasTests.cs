using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>oras of Debian's newest suite.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class LaterOrasTests(ClientsFixture stack)
    : LaterClientTests(stack, "oras-" + Program.Version, new OrasClient(stack.Gateway, Program))
{
    private static readonly ClientProgram Program = ClientProgram.Later("sid", "oras");

    private protected override string[] WrongPassword =>
        ["unauthorized: authentication failed: the user name or password is wrong"];

    // It looks for the manifest first, and HEAD has no words.
    private protected override string[] BlindPushRefusal => ["403"];
}
