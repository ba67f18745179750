using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

[Collection(ClientMachine.Name)]
public sealed class PodmanTests(ClientsFixture stack) : SigningInClientTests(stack, "podman", new PodmanClient(stack.Gateway, "podman"))
{
    private protected override string AnonymousPullRequests => "";

    private protected override string PullRequests => "";

    private protected override string PushRequests => "";

    private protected override string MountRequests => "";

    private protected override string LoginRequests => "";

    private protected override string[] AnonymousRefusal => ["?"];

    private protected override string[] PolicyRefusal => ["?"];

    private protected override string[] WrongPassword => ["?"];

    [Fact]
    public async Task PushPull_LargeImageByDigest_KeepsEveryByte()
    {
        await SignInAsync("alice");
        (await Client.PushAsync(Stack.LargeImage, Name("team-a/large:1"))).Succeeded();
        var built = (await Podman.RunAsync("images", "--quiet", "--no-trunc")).Succeeded();
        var digest = await Stack.Registry.DigestOfAsync(Name("team-a/large"), "1");

        (await Client.PullAsync(Name($"team-a/large@{digest}"))).Succeeded();

        Assert.Equal(built, (await Podman.RunAsync("images", "--quiet", "--no-trunc")).Succeeded());
        var root = (await Podman.RunAsync("image", "mount", built)).Succeeded();
        Assert.Equal(Stack.LargeImage.LargeFileHash, TestImage.HashOf(Path.Combine(root, TestImage.LargeFile)));
        (await Podman.RunAsync("image", "unmount", built)).Succeeded();
    }

    private PodmanClient Podman => (PodmanClient)Client;
}
