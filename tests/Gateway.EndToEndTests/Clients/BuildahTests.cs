namespace Gateway.EndToEndTests.Clients;

[Collection(ClientMachine.Name)]
public sealed class BuildahTests(ClientsFixture stack) : SigningInClientTests(stack, "buildah", new PodmanClient(stack.Gateway, "buildah"))
{
    private protected override string AnonymousPullRequests => ContainersImage.AnonymousPull;

    private protected override string PullRequests => ContainersImage.Pull;

    private protected override string PushRequests => ContainersImage.Push;

    private protected override string MountRequests => ContainersImage.Mount;

    private protected override string LoginRequests => ContainersImage.Login;

    private protected override string[] AnonymousRefusal => ContainersImage.AnonymousRefusal;

    private protected override string[] PolicyRefusal => ["denied: ", " may not "];

    private protected override string[] WrongPassword => ContainersImage.WrongPassword;

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
