using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

[Collection(ClientMachine.Name)]
public sealed class DockerTests(ClientsFixture stack, DockerEngine engine) : SigningInClientTests(stack, "docker", new DockerClient(stack.Gateway, engine))
{
    private protected override string AnonymousPullRequests => """
        GET /v2/ -> 401
        GET /token?scope=repository:public/app:pull&service=[host] -> 200
        HEAD /v2/public/app/manifests/1 bearer(anonymous public/app:pull) -> 200
        GET /v2/public/app/manifests/[digest] bearer(anonymous public/app:pull) -> 200
        GET /v2/public/app/blobs/[digest] bearer(anonymous public/app:pull) -> 200
        """;

    private protected override string PullRequests => """
        GET /v2/ -> 401
        GET /token?account=alice&scope=repository:team-a/app:pull&service=[host] basic(alice) -> 200
        HEAD /v2/team-a/app/manifests/1 bearer(alice team-a/app:pull) -> 200
        GET /v2/team-a/app/manifests/[digest] bearer(alice team-a/app:pull) -> 200
        GET /v2/team-a/app/blobs/[digest] bearer(alice team-a/app:pull) -> 200
        """;

    private protected override string PushRequests => """
        GET /v2/ -> 401
        GET /token?account=alice&scope=repository:team-a/app:push,pull&service=[host] basic(alice) -> 200
        POST /v2/team-a/app/blobs/uploads/ bearer(alice team-a/app:pull,push) -> 202
        PATCH /v2/team-a/app/blobs/uploads/[id]?_ticket=[_ticket] bearer(alice team-a/app:pull,push) -> 202
        PUT /v2/team-a/app/blobs/uploads/[id]?_ticket=[_ticket]&digest=[digest] bearer(alice team-a/app:pull,push) -> 201
        HEAD /v2/team-a/app/blobs/[digest] bearer(alice team-a/app:pull,push) -> 200
        HEAD /v2/team-a/app/blobs/[digest] bearer(alice team-a/app:pull,push) -> 404
        PUT /v2/team-a/app/manifests/1 bearer(alice team-a/app:pull,push) -> 201
        """;

    private protected override string MountRequests => """
        GET /v2/ -> 401
        GET /token?account=alice&scope=repository:team-a/copy:push,pull&service=[host] basic(alice) -> 200
        HEAD /v2/team-a/copy/blobs/[digest] bearer(alice team-a/copy:pull,push) -> 404
        GET /token?account=alice&scope=repository:team-a/copy:push,pull&scope=repository:team-a/app:pull&service=[host] basic(alice) -> 200
        POST /v2/team-a/copy/blobs/uploads/?from=team-a%2Fapp&mount=[digest] bearer(alice team-a/copy:pull,push team-a/app:pull) -> 201
        HEAD /v2/team-a/copy/blobs/[digest] bearer(alice team-a/copy:pull,push) -> 200
        POST /v2/team-a/copy/blobs/uploads/ bearer(alice team-a/copy:pull,push) -> 202
        PATCH /v2/team-a/copy/blobs/uploads/[id]?_ticket=[_ticket] bearer(alice team-a/copy:pull,push) -> 202
        PUT /v2/team-a/copy/blobs/uploads/[id]?_ticket=[_ticket]&digest=[digest] bearer(alice team-a/copy:pull,push) -> 201
        PUT /v2/team-a/copy/manifests/1 bearer(alice team-a/copy:pull,push) -> 201
        """;

    private protected override string LoginRequests => """
        GET /v2/ -> 401
        GET /token?account=alice&client_id=docker&offline_token=true&service=[host] basic(alice) -> 200
        GET /v2/ bearer(alice) -> 200
        """;

    private protected override string[] AnonymousRefusal => ["denied: this needs a sign-in; run docker login"];

    private protected override string[] PolicyRefusal => ["denied: ", " may not "];

    private protected override string[] WrongPassword => ["unauthorized: authentication failed: the user name or password is wrong"];

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
        Assert.Equal(pushed, (await Docker.RunAsync("image", "inspect", "--format", "{{.RepoDigests}}", image)).Succeeded());
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
