using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

[Collection(ClientMachine.Name)]
public sealed class ContainerdTests(ClientsFixture stack, ContainerdEngine engine) : RegistryClientTests(stack, "containerd", new ContainerdClient(stack.Gateway, engine))
{
    private protected override string AnonymousPullRequests => "";

    private protected override string PullRequests => "";

    private protected override string PushRequests => "";

    private protected override string MountRequests => "";

    private protected override string[] AnonymousRefusal => ["?"];

    private protected override string[] PolicyRefusal => ["?"];

    private protected override bool MountsUnseen => true;
}
