using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>oras, as Helm and other programs built on its library.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class OrasTests(ClientsFixture stack)
    : SigningInClientTests(stack, "oras", new OrasClient(stack.Gateway))
{
    private protected override string[] AnonymousRefusal => ["unauthorized"];

    private protected override string[] PolicyRefusal => ["denied: ", " may not "];

    // It looks for the manifest first, and HEAD has no words.
    private protected override string[] BlindPushRefusal => ["403"];

    private protected override string[] WrongPassword =>
        ["unauthorized: authentication failed: the user name or password is wrong"];

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

        AssertRequests("delete", requests);
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

    private OrasClient Oras => (OrasClient)Client;
}
