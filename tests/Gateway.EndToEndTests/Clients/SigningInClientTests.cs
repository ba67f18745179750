using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>What a client with <c>login</c> and <c>logout</c> must do.</summary>
public abstract class SigningInClientTests : RegistryClientTests
{
    private protected SigningInClientTests(ClientsFixture stack, string name, RegistryClient client)
        : base(stack, name, client)
    {
    }

    /// <summary>What the client says of a wrong password.</summary>
    private protected abstract string[] WrongPassword { get; }

    [Fact]
    public async Task Login_RightPassword_MakesTheseRequests()
    {
        var requests = await Stack.Gateway.RecordAsync(
            () => Client.LoginAsync("alice", ClientsFixture.PasswordOf("alice")));

        AssertRequests("login", requests);
    }

    [Fact]
    public async Task Login_WrongPassword_IsRefused()
    {
        var login = await Client.LoginAsync("alice", "not-her-password");

        login.FailedWith(WrongPassword);
    }

    [Fact]
    public async Task Login_AuthorityNotTrusted_IsRefused()
    {
        var login = await LoginWithoutTrustAsync();

        login.FailedWith("x509", "unknown authority");
    }

    [Fact]
    public async Task Push_AfterLogout_AsksForCredentials()
    {
        await SignInAsync("alice");
        (await Client.LogoutAsync()).Succeeded();

        var push = await Client.PushAsync(Image, Name("team-a/nobody:1"));

        push.FailedWith(AnonymousRefusal);
    }

    [Fact]
    public async Task Pull_AfterLogout_AsksForCredentials()
    {
        await SignInAsync("alice");
        (await Client.PushAsync(Image, Name("team-a/app:1"))).Succeeded();
        (await Client.LogoutAsync()).Succeeded();

        var pull = await Client.PullAsync(Name("team-a/app:1"));

        pull.FailedWith(AnonymousRefusal);
    }

    private protected virtual Task<CliResult> LoginWithoutTrustAsync() =>
        Stack.WithoutTrustAsync(() => Client.LoginAsync("alice", ClientsFixture.PasswordOf("alice")));
}
