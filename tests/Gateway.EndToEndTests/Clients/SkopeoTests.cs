using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>skopeo, which copies, inspects and deletes without a daemon.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class SkopeoTests(ClientsFixture stack)
    : SigningInClientTests(stack, "skopeo", new SkopeoClient(stack.Gateway))
{
    private protected override bool HonoursRetryAfter => true;

    private protected override string[] AnonymousRefusal => ["denied: this needs a sign-in; run docker login"];

    private protected override string[] PolicyRefusal => ["denied: ", " may not "];

    // Its own words: those of the answer are lost.
    private protected override string[] WrongPassword => ["invalid username/password"];

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

        AssertRequests("delete", requests);
        Assert.Null(await Stack.Registry.DigestOfAsync(Name("team-a/app"), "1"));
    }

    [Fact]
    public async Task Delete_Writer_IsRefusedWithTheReason()
    {
        await Stack.Registry.PushAsync(Image, Name("team-a/app"), "1");
        await SignInAsync("alice");

        var delete = await Skopeo.DeleteAsync(Name("team-a/app:1"));

        delete.FailedWith("denied", "may not delete");
        Assert.NotNull(await Stack.Registry.DigestOfAsync(Name("team-a/app"), "1"));
    }

    private SkopeoClient Skopeo => (SkopeoClient)Client;
}
