using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>podman, which shares its library, storage and credentials with buildah and skopeo.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class PodmanTests(ClientsFixture stack)
    : SigningInClientTests(stack, "podman", new PodmanClient(stack.Gateway, "podman"))
{
    private protected override bool HonoursRetryAfter => true;

    private protected override string[] AnonymousRefusal => ["denied: this needs a sign-in; run docker login"];

    private protected override string[] PolicyRefusal => ["denied: ", " may not "];

    // Its own words: those of the answer are lost.
    private protected override string[] WrongPassword => ["invalid username/password"];

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
