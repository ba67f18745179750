using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// What a client must be able to do, what it is told, and the requests that it makes: those stand in docs/clients.md.
/// Where else clients differ, the derived class says how.
/// </summary>
public abstract class RegistryClientTests : ClientTests
{
    private protected RegistryClientTests(ClientsFixture stack, string name, RegistryClient client)
        : base(stack, name, client)
    {
    }

    /// <summary>
    /// Whether a push asks for a mount from any repository that it remembers; others look first whether they may read
    /// it.
    /// </summary>
    private protected virtual bool MountsUnseen => false;

    /// <summary>Whether it waits as long as a 429 says, up to five times. The others give up at once or soon.</summary>
    private protected virtual bool HonoursRetryAfter => false;

    /// <summary>What the client says to somebody without credentials who needs some.</summary>
    private protected abstract string[] AnonymousRefusal { get; }

    /// <summary>What the client says to a known caller whom policy refuses.</summary>
    private protected abstract string[] PolicyRefusal { get; }

    /// <summary>
    /// What it says of a push to whom policy refuses even what every push begins with, the look at what is there.
    /// </summary>
    private protected virtual string[] BlindPushRefusal => PolicyRefusal;

    [Fact]
    public async Task AnonymousPull_PublicRepository_IsAllowed()
    {
        await Stack.Registry.PushAsync(Image, Name("public/app"), "1");

        var requests = await Stack.Gateway.RecordAsync(() => Client.PullAsync(Name("public/app:1")));

        AssertRequests("anonymous pull", requests);
    }

    [Fact]
    public async Task AnonymousPull_PrivateRepository_IsRefused()
    {
        await Stack.Registry.PushAsync(Image, Name("team-a/private"), "1");

        var pull = await Client.PullAsync(Name("team-a/private:1"));

        pull.FailedWith(AnonymousRefusal);
    }

    [Fact]
    public async Task Pull_LimitUsedUp_SaysThatItIsARateLimitOrWaits()
    {
        // Where the client waits as Retry-After says, the pull goes through, and nobody has to read anything.
        var name = await UseUpAsync(HonoursRetryAfter ? "public/paced" : "public/limited");

        var pull = await Client.PullAsync($"{name}:1");

        if (HonoursRetryAfter)
        {
            pull.Succeeded();
            return;
        }

        AssertLimited(pull);
    }

    [Fact]
    public async Task PushPull_OwnRepository_MakesTheseRequests()
    {
        await SignInAsync("alice");

        var push = await Stack.Gateway.RecordAsync(() => Client.PushAsync(Image, Name("team-a/app:1")));
        var pull = await Stack.Gateway.RecordAsync(() => Client.PullAsync(Name("team-a/app:1")));

        AssertRequests("push", push);
        AssertRequests("pull", pull);
    }

    [Fact]
    public async Task Push_SameContentToAnotherRepository_MountsIt()
    {
        await SignInAsync("alice");
        (await Client.PushAsync(Image, Name("team-a/app:1"))).Succeeded();
        await Client.RememberAsync(Name("team-a/app:1"));

        var push = await Stack.Gateway.RecordAsync(
            () => Client.PushAgainAsync(Image, Name("team-a/app:1"), Name("team-a/copy:1")));

        AssertRequests("mount", push);
        Assert.Equal(
            await Stack.Registry.DigestOfAsync(Name("team-a/app"), "1"),
            await Stack.Registry.DigestOfAsync(Name("team-a/copy"), "1"));
    }

    [Fact]
    public async Task Push_SourceOfTheMountNotReadable_UploadsInstead()
    {
        await SignInAsync("bob");
        (await Client.PushAsync(Image, Name("team-b/app:1"))).Succeeded();
        await Client.RememberAsync(Name("team-b/app:1"));
        await SignInAsync("alice");

        var push = await Stack.Gateway.RecordAsync(() => Client.PushAsync(Image, Name("team-a/copy:1")));

        var mounts = push.Where(static request => request.Target.Contains("mount=", StringComparison.Ordinal)).ToList();
        Assert.Equal(MountsUnseen, mounts.Count > 0);
        Assert.All(mounts, static mount => Assert.Equal(202, mount.Status));
        Assert.Contains(
            push,
            static request => request is { Method: "PUT", Status: 201 }
                && request.Target.Contains("digest=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pull_RepositoryWithoutGrant_IsRefusedWithTheReason()
    {
        await Stack.Registry.PushAsync(Image, Name("team-b/private"), "1");
        await SignInAsync("alice");

        var pull = await Client.PullAsync(Name("team-b/private:1"));

        pull.FailedWith(PolicyRefusal);
    }

    [Fact]
    public async Task Push_Reader_IsRefusedWithTheReason()
    {
        await SignInAsync("bob");

        var push = await PushRefusedAsync();

        push.FailedWith(PolicyRefusal);
    }

    [Fact]
    public async Task Push_WhoMayNotEvenPull_IsRefusedWithTheReason()
    {
        await SignInAsync("alice");

        var push = await Client.PushAsync(Image, Name("team-b/app:1"));

        push.FailedWith(BlindPushRefusal);
    }

    [Fact]
    public async Task PersonalToken_AsPassword_PushesAndPulls()
    {
        var (_, secret) = await Stack.Gateway.CreateTokenAsync("--user", "alice", "--all");
        (await Client.LoginAsync("alice", secret)).Succeeded();

        (await Client.PushAsync(Image, Name("team-a/app:1"))).Succeeded();
        (await Client.PullAsync(Name("team-a/app:1"))).Succeeded();
    }

    [Fact]
    public async Task PersonalToken_MayOnlyPull_PullsAndIsRefusedThePush()
    {
        var (_, secret) = await Stack.Gateway.CreateTokenAsync("--user", "alice", "--scope", "team-a/**:pull");
        await Stack.Registry.PushAsync(Image, Name("team-a/app"), "1");
        (await Client.LoginAsync("token", secret)).Succeeded(); // the name of who has no need to know the owner's

        (await Client.PullAsync(Name("team-a/app:1"))).Succeeded();
        (await PushRefusedAsync()).FailedWith(PolicyRefusal);
    }

    [Fact]
    public async Task RobotToken_AsPassword_PushesAndPulls()
    {
        var (_, secret) = await Stack.Gateway.CreateTokenAsync("--robot", "ci", "--scope", "team-a/**:pull,push");
        (await Client.LoginAsync("ci", secret)).Succeeded();

        (await Client.PushAsync(Image, Name("team-a/app:1"))).Succeeded();
        (await Client.PullAsync(Name("team-a/app:1"))).Succeeded();
    }

    /// <summary>Tries a push where the caller may only pull.</summary>
    private protected virtual Task<CliResult> PushRefusedAsync() => Client.PushAsync(Image, Name("team-a/refused:1"));
}
