using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

[Collection(ClientMachine.Name)]
public sealed class SkopeoTests(ClientsFixture stack) : SigningInClientTests(stack, "skopeo", new SkopeoClient(stack.Gateway))
{
    private protected override string AnonymousPullRequests => ContainersImage.AnonymousPull;

    private protected override string PullRequests => ContainersImage.Pull;

    private protected override string PushRequests => ContainersImage.Push;

    private protected override string MountRequests => """
        GET /v2/ -> 401
        GET /token?account=alice&scope=repository:team-a/app:pull&service=[host] basic(alice) -> 200
        GET /v2/team-a/app/manifests/1 bearer(alice team-a/app:pull) -> 200
        GET /token?account=alice&scope=repository:team-a/copy:pull,push&service=[host] basic(alice) -> 200
        HEAD /v2/team-a/copy/blobs/[digest] bearer(alice team-a/copy:pull,push) -> 404
        GET /token?account=alice&scope=repository:team-a/copy:pull,push&scope=repository:team-a/app:pull&service=[host] basic(alice) -> 200
        HEAD /v2/team-a/app/blobs/[digest] bearer(alice team-a/copy:pull,push team-a/app:pull) -> 200
        POST /v2/team-a/copy/blobs/uploads/?from=team-a%2Fapp&mount=[digest] bearer(alice team-a/copy:pull,push team-a/app:pull) -> 201
        GET /v2/team-a/app/blobs/[digest] bearer(alice team-a/app:pull) -> 200
        POST /v2/team-a/copy/blobs/uploads/ bearer(alice team-a/copy:pull,push) -> 202
        PATCH /v2/team-a/copy/blobs/uploads/[id]?_ticket=[_ticket] bearer(alice team-a/copy:pull,push) -> 202
        PUT /v2/team-a/copy/blobs/uploads/[id]?_ticket=[_ticket]&digest=[digest] bearer(alice team-a/copy:pull,push) -> 201
        PUT /v2/team-a/copy/manifests/1 bearer(alice team-a/copy:pull,push) -> 201
        """;

    private protected override string LoginRequests => ContainersImage.Login;

    private protected override string[] AnonymousRefusal => ContainersImage.AnonymousRefusal;

    private protected override string[] PolicyRefusal => ["denied: ", " may not "];

    private protected override string[] WrongPassword => ContainersImage.WrongPassword;

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

        delete.FailedWith("denied", "may not delete");
        Assert.NotNull(await Stack.Registry.DigestOfAsync(Name("team-a/app"), "1"));
    }

    private const string DeleteRequests = """
        GET /v2/ -> 401
        GET /token?account=admin&scope=repository:team-a/app:*&service=[host] basic(admin) -> 200
        GET /v2/team-a/app/manifests/1 bearer(admin team-a/app:pull,push,delete) -> 200
        DELETE /v2/team-a/app/manifests/[digest] bearer(admin team-a/app:pull,push,delete) -> 202
        """;

    private SkopeoClient Skopeo => (SkopeoClient)Client;
}
