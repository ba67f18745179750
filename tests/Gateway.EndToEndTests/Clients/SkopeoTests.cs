using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

[Collection(ClientMachine.Name)]
public sealed class SkopeoTests(ClientsFixture stack) : SigningInClientTests(stack, "skopeo", new SkopeoClient(stack.Gateway))
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
    public async Task Copy_LargeImageThereAndBack_KeepsEveryByte()
    {
        await SignInAsync("alice");

        (await Client.PushAsync(Stack.LargeImage, Name("team-a/large:1"))).Succeeded();
        (await Client.PullAsync(Name("team-a/large:1"))).Succeeded();

        var blobs = TestImage.BlobsOf(Skopeo.Pulled);
        Assert.Equal(TestImage.BlobsOf(Stack.LargeImage.OciLayout), blobs);
        Assert.All(blobs, static blob => Assert.Equal(blob.Key, blob.Value)); // each is what its name says
        Assert.Equal(Stack.LargeImage.ManifestDigest, await Stack.Registry.DigestOfAsync(Name("team-a/large"), "1"));
    }

    [Fact]
    public async Task Delete_Owner_MakesTheseRequests()
    {
        await Stack.Registry.PushAsync(Image, Name("team-a/app"), "1");
        await SignInAsync("admin");

        var requests = await Stack.Gateway.RecordAsync(() => Skopeo.DeleteAsync(Name("team-a/app:1")));

        AssertRequests(DeleteRequests, requests);
        Assert.Null(await Stack.Registry.DigestOfAsync(Name("team-a/app"), "1"));
    }

    [Fact]
    public async Task Delete_Writer_IsRefusedWithTheReason()
    {
        await Stack.Registry.PushAsync(Image, Name("team-a/app"), "1");
        await SignInAsync("alice");

        var delete = await Skopeo.DeleteAsync(Name("team-a/app:1"));

        delete.FailedWith("?");
        Assert.NotNull(await Stack.Registry.DigestOfAsync(Name("team-a/app"), "1"));
    }

    private const string DeleteRequests = "";

    private SkopeoClient Skopeo => (SkopeoClient)Client;
}
