using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>buildah, which builds what podman pulls.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class BuildahTests(ClientsFixture stack)
    : SigningInClientTests(stack, "buildah", new PodmanClient(stack.Gateway, "buildah"))
{
    private protected override bool HonoursRetryAfter => true;

    private protected override string[] AnonymousRefusal => ["denied: this needs a sign-in; run docker login"];

    private protected override string[] PolicyRefusal => ["denied: ", " may not "];

    // Its own words: those of the answer are lost.
    private protected override string[] WrongPassword => ["invalid username/password"];

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
