using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>podman of the next Debian.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class LaterPodmanTests(ClientsFixture stack)
    : LaterClientTests(stack, "podman-" + Program.Version, new PodmanClient(stack.Gateway, Program))
{
    private static readonly ClientProgram Program = ClientProgram.InSystem("trixie", "podman");

    private protected override string[] WrongPassword => ["invalid username/password"];

    // It would do so three times more.
    private protected override Task<CliResult> PullOnceAsync(string name) =>
        ((PodmanClient)Client).RunAsync("pull", "--retry", "0", $"{Stack.Authority}/{name}");
}
