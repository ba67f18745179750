using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// The newest clients that Debian has: the requests that they make, and what their people read. Few tests each, since
/// what a client can do at all is shown by <see cref="RegistryClientTests"/> with the versions that are here.
/// </summary>
public abstract class LaterClientTests : ClientTests
{
    private protected LaterClientTests(ClientsFixture stack, string name, RegistryClient client)
        : base(stack, name, client)
    {
    }

    /// <summary>
    /// What it says of a wrong password: at the login, or where that tries none, at the pull behind it.
    /// </summary>
    private protected abstract string[] WrongPassword { get; }

    /// <summary>What it says of a push to whom policy refuses even the look at what is there.</summary>
    private protected virtual string[] BlindPushRefusal => [" may not pull, push "];

    /// <summary>What it says of a pull that policy refuses.</summary>
    private protected virtual string[] PullRefusal => [" may not pull "];

    /// <summary>Whether its login asks the registry.</summary>
    private protected virtual bool LoginAsks => true;

    /// <summary>What it says of a limit that is used up.</summary>
    private protected virtual string LimitWords => "the rate limit \\\\?\"one-pull\\\\?\" is used up: 1 in 1d";

    [Fact]
    public async Task LoginPushPull_OwnRepository_MakesTheseRequests()
    {
        if (LoginAsks)
        {
            var login = await Stack.Gateway.RecordAsync(
                () => Client.LoginAsync("alice", ClientsFixture.PasswordOf("alice")));
            AssertRequests("login", login);
        }
        else
        {
            await SignInAsync("alice");
        }

        var push = await Stack.Gateway.RecordAsync(() => Client.PushAsync(Image, Name("team-a/app:1")));
        await Client.RememberAsync(Name("team-a/app:1"));
        var mount = await Stack.Gateway.RecordAsync(
            () => Client.PushAgainAsync(Image, Name("team-a/app:1"), Name("team-a/copy:1")));
        var pull = await Stack.Gateway.RecordAsync(() => Client.PullAsync(Name("team-a/app:1")));

        AssertRequests("push", push);
        AssertRequests("mount", mount);
        AssertRequests("pull", pull);
    }

    [Fact]
    public async Task WrongPassword_IsCalledThat()
    {
        var login = await Client.LoginAsync("alice", "not-her-password");

        var refused = LoginAsks ? login : await Client.PullAsync(Name("team-a/app:1"));

        refused.FailedWith(WrongPassword);
    }

    [Fact]
    public async Task Refused_WhoMayNotEvenPull_ReadsWhy()
    {
        await Stack.Registry.PushAsync(Image, Name("team-b/private"), "1");
        await SignInAsync("alice");

        var push = await Client.PushAsync(Image, Name("team-b/app:1"));
        var pull = await Client.PullAsync(Name("team-b/private:1"));

        push.FailedWith(BlindPushRefusal);
        pull.FailedWith(PullRefusal);
        Assert.DoesNotMatch(
            "(?i)not found|(manifest|blob|name) unknown",
            pull.Text.Replace(Name("team-b/private"), "", StringComparison.Ordinal));
    }

    // The limit is far away, so no client is told to wait long for it: podman and skopeo ask five times, with five
    // seconds between. Were it a minute, they would take four.
    [Fact]
    public async Task Pull_LimitUsedUp_IsSaidSoon()
    {
        var name = await UseUpAsync("public/limited");

        var pull = await PullOnceAsync($"{name}:1");

        AssertLimited(pull, LimitWords);
    }

    /// <summary>Pulls, and does not try the whole pull again.</summary>
    private protected virtual Task<CliResult> PullOnceAsync(string name) => Client.PullAsync(name);
}
