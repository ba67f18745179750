using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>docker with a real Docker Engine, which does the talking to the registry.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class DockerTests(ClientsFixture stack, DockerEngine engine)
    : SigningInClientTests(stack, "docker", new DockerClient(stack.Gateway, engine))
{
    private protected override string[] AnonymousRefusal => ["denied: this needs a sign-in; run docker login"];

    private protected override string[] PolicyRefusal => ["denied: ", " may not "];

    private protected override string[] WrongPassword =>
        ["unauthorized: authentication failed: the user name or password is wrong"];

    private protected override bool MountsUnseen => true;

    [Fact]
    public async Task PushPull_LargeImage_KeepsEveryByte()
    {
        await SignInAsync("alice");
        var name = Name("team-a/large:1");
        var image = $"{Stack.Authority}/{name}";
        (await Client.PushAsync(Stack.LargeImage, name)).Succeeded();
        var built = (await Docker.RunAsync("image", "inspect", "--format", "{{.Id}}", image)).Succeeded();
        var pushed = (await Docker.RunAsync("image", "inspect", "--format", "{{.RepoDigests}}", image)).Succeeded();

        (await Client.PullAsync(name)).Succeeded();

        Assert.Equal(built, (await Docker.RunAsync("image", "inspect", "--format", "{{.Id}}", image)).Succeeded());
        Assert.Equal(
            pushed, (await Docker.RunAsync("image", "inspect", "--format", "{{.RepoDigests}}", image)).Succeeded());
        Assert.Equal(Stack.LargeImage.LargeFileHash, await HashInContainerAsync(image));
    }

    private DockerClient Docker => (DockerClient)Client;

    private async Task<string> HashInContainerAsync(string image)
    {
        var container = (await Docker.RunAsync("create", image)).Succeeded();
        var copy = Path.GetTempFileName();
        try
        {
            (await Docker.RunAsync("cp", $"{container}:/{TestImage.LargeFile}", copy)).Succeeded();
            return TestImage.HashOf(copy);
        }
        finally
        {
            (await Docker.RunAsync("rm", container)).Succeeded();
            File.Delete(copy);
        }
    }
}
