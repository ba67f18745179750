namespace Gateway.EndToEndTests.Clients;

[Collection(ClientMachine.Name)]
public sealed class BuildahTests(ClientsFixture stack) : SigningInClientTests(stack, "buildah", new PodmanClient(stack.Gateway, "buildah"))
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
    public async Task BuildPush_Image_IsWhatPodmanPulls()
    {
        await SignInAsync("alice");
        var image = $"{Stack.Authority}/{Name("team-a/built:1")}";
        await using var podman = new PodmanClient(Stack.Gateway, "podman");
        (await podman.LoginAsync("bob", ClientsFixture.PasswordOf("bob"))).Succeeded();

        (await Buildah.RunAsync("build", "--tag", image, Image.BuildContext)).Succeeded();
        (await Buildah.RunAsync("push", image)).Succeeded();
        (await podman.PullAsync(Name("team-a/built:1"))).Succeeded();

        Assert.Equal(
            (await Buildah.RunAsync("images", "--quiet", "--no-trunc")).Succeeded(),
            (await podman.RunAsync("images", "--quiet", "--no-trunc")).Succeeded());
    }

    private PodmanClient Buildah => (PodmanClient)Client;
}
