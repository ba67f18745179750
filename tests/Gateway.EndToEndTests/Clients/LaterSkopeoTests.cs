using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>skopeo of the next Debian.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class LaterSkopeoTests(ClientsFixture stack)
    : LaterClientTests(stack, "skopeo-" + Program.Version, new SkopeoClient(stack.Gateway, Program))
{
    private static readonly ClientProgram Program = ClientProgram.InSystem("trixie", "skopeo");

    private protected override string[] WrongPassword => ["invalid username/password"];
}
