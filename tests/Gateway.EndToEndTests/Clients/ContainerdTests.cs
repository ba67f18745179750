using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// ctr with a real containerd, which is what Kubernetes pulls by. It has no login, and no delete in a registry.
/// </summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class ContainerdTests(ClientsFixture stack, ContainerdEngine engine)
    : RegistryClientTests(stack, "containerd", new ContainerdClient(stack.Gateway, engine))
{
    private protected override string[] AnonymousRefusal => ["may require authorization", "insufficient_scope"];

    private protected override string[] PolicyRefusal => ["403 Forbidden"];

    private protected override bool MountsUnseen => true;

    // Who counts failed sign-ins must not count this one twice.
    [Fact]
    public async Task Pull_WrongPassword_IsTriedInTwoWays()
    {
        await Client.LoginAsync("alice", "not-her-password");
        Stack.Gateway.Take();

        var pull = await Client.PullAsync(Name("team-a/app:1"));

        pull.FailedWith("failed to fetch oauth token", "401 Unauthorized");
        AssertRequests("wrong password", Stack.Gateway.Take());
    }
}
