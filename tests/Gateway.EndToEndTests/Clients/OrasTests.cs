using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

[Collection(ClientMachine.Name)]
public sealed class OrasTests(ClientsFixture stack) : SigningInClientTests(stack, "oras", new OrasClient(stack.Gateway))
{
    private protected override string AnonymousPullRequests => """
        GET /v2/public/app/manifests/1 -> 401
        GET /token?scope=repository:public/app:pull&service=[host] -> 200
        GET /v2/public/app/manifests/1 bearer(anonymous public/app:pull) -> 200
        GET /v2/public/app/blobs/[digest] bearer(anonymous public/app:pull) -> 200
        """;

    private protected override string PullRequests => """
        GET /v2/team-a/app/manifests/1 -> 401
        GET /token?scope=repository:team-a/app:pull&service=[host] basic(alice) -> 200
        GET /v2/team-a/app/manifests/1 bearer(alice team-a/app:pull) -> 200
        GET /v2/team-a/app/blobs/[digest] bearer(alice team-a/app:pull) -> 200
        """;

    private protected override string PushRequests => """
        HEAD /v2/team-a/app/manifests/[digest] -> 401
        GET /token?scope=repository:team-a/app:pull,push&service=[host] basic(alice) -> 200
        HEAD /v2/team-a/app/manifests/[digest] bearer(alice team-a/app:pull,push) -> 404
        HEAD /v2/team-a/app/blobs/[digest] bearer(alice team-a/app:pull,push) -> 404
        POST /v2/team-a/app/blobs/uploads/ bearer(alice team-a/app:pull,push) -> 202
        PUT /v2/team-a/app/blobs/uploads/[id]?_ticket=[_ticket]&digest=[digest] bearer(alice team-a/app:pull,push) -> 201
        PUT /v2/team-a/app/manifests/1 bearer(alice team-a/app:pull,push) -> 201
        GET /v2/team-a/app/manifests/[digest] bearer(alice team-a/app:pull,push) -> 200
        """;

    private protected override string MountRequests => """
        GET /v2/team-a/app/manifests/1 -> 401
        GET /token?scope=repository:team-a/app:pull&scope=repository:team-a/copy:pull,push&service=[host] basic(alice) -> 200
        GET /v2/team-a/app/manifests/1 bearer(alice team-a/app:pull team-a/copy:pull,push) -> 200
        HEAD /v2/team-a/copy/manifests/[digest] -> 401
        GET /token?scope=repository:team-a/copy:pull,push&service=[host] basic(alice) -> 200
        HEAD /v2/team-a/copy/manifests/[digest] bearer(alice team-a/copy:pull,push) -> 404
        HEAD /v2/team-a/copy/blobs/[digest] bearer(alice team-a/copy:pull,push) -> 404
        POST /v2/team-a/copy/blobs/uploads/?mount=[digest]&from=team-a/app -> 401
        POST /v2/team-a/copy/blobs/uploads/?mount=[digest]&from=team-a/app bearer(alice team-a/app:pull team-a/copy:pull,push) -> 201
        PUT /v2/team-a/copy/manifests/1 bearer(alice team-a/copy:pull,push) -> 201
        GET /v2/team-a/copy/manifests/[digest] bearer(alice team-a/copy:pull,push) -> 200
        """;

    private protected override string LoginRequests => """
        GET /v2/ -> 401
        GET /token?service=[host] basic(alice) -> 200
        GET /v2/ bearer(alice) -> 200
        """;

    private protected override string[] AnonymousRefusal => ["unauthorized"];

    private protected override string[] PolicyRefusal => ["denied: ", " may not "];

    private protected override string[] WrongPassword => ["unauthorized: authentication failed: the user name or password is wrong"];

    // One request after another: oras 1.2 panics when two of them are refused at once.
    private protected override Task<CliResult> PushRefusedAsync() => ((OrasClient)Client).RunAsync(
        "cp", "--concurrency", "1", "--from-oci-layout", $"{Image.OciLayout}:latest",
        "--to-ca-file", Stack.Gateway.Process.AuthorityFile, $"{Stack.Authority}/{Name("team-a/refused:1")}");

    private protected override Task<CliResult> LoginWithoutTrustAsync() => ((OrasClient)Client).RunAsync(
        "login", "--username", "alice", "--password", ClientsFixture.PasswordOf("alice"), Stack.Authority);

    [Fact]
    public async Task Delete_Owner_MakesTheseRequests()
    {
        await Stack.Registry.PushAsync(Image, Name("team-a/app"), "1");
        await SignInAsync("admin");

        var requests = await Stack.Gateway.RecordAsync(() => Oras.DeleteAsync(Name("team-a/app:1")));

        AssertRequests(DeleteRequests, requests);
        Assert.Null(await Stack.Registry.DigestOfAsync(Name("team-a/app"), "1"));
    }

    [Fact]
    public async Task Delete_Writer_IsRefusedWithTheReason()
    {
        await Stack.Registry.PushAsync(Image, Name("team-a/app"), "1");
        await SignInAsync("alice");

        var delete = await Oras.DeleteAsync(Name("team-a/app:1"));

        delete.FailedWith("denied", "may not delete");
        Assert.NotNull(await Stack.Registry.DigestOfAsync(Name("team-a/app"), "1"));
    }

    private const string DeleteRequests = """
        HEAD /v2/team-a/app/manifests/1 -> 401
        GET /token?scope=repository:team-a/app:pull&service=[host] basic(admin) -> 200
        HEAD /v2/team-a/app/manifests/1 bearer(admin team-a/app:pull) -> 200
        GET /v2/team-a/app/manifests/[digest] -> 401
        GET /token?scope=repository:team-a/app:delete,pull&service=[host] basic(admin) -> 200
        GET /v2/team-a/app/manifests/[digest] bearer(admin team-a/app:pull,delete) -> 200
        DELETE /v2/team-a/app/manifests/[digest] bearer(admin team-a/app:pull,delete) -> 202
        """;

    private OrasClient Oras => (OrasClient)Client;
}
