using System.Net;
using System.Net.Http.Headers;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// What a client must be able to do, what it is told, and the requests that it makes: those stand in docs/clients.md.
/// Where else clients differ, the derived class says how.
/// </summary>
public abstract class RegistryClientTests : IAsyncLifetime
{
    private const int SmallSize = 64 * 1024;
    private readonly string _name;
    private readonly string _prefix;

    private protected RegistryClientTests(ClientsFixture stack, string name, RegistryClient client)
    {
        Stack = stack;
        Client = client;
        _name = name;
        _prefix = $"{name}-{Guid.NewGuid():n}-";
        Image = TestImage.Create(SmallSize);
    }

    private protected ClientsFixture Stack { get; }

    private protected RegistryClient Client { get; }

    /// <summary>Made for the test: nothing of it is in the registry, nor in the client's memory.</summary>
    private protected TestImage Image { get; }

    /// <summary>
    /// Whether a push asks for a mount from any repository that it remembers; others look first whether they may read it.
    /// </summary>
    private protected virtual bool MountsUnseen => false;

    /// <summary>Whether it waits as long as a 429 says, up to five times. The others give up at once or soon.</summary>
    private protected virtual bool HonoursRetryAfter => false;

    /// <summary>What the client says to somebody without credentials who needs some.</summary>
    private protected abstract string[] AnonymousRefusal { get; }

    /// <summary>What the client says to a known caller whom policy refuses.</summary>
    private protected abstract string[] PolicyRefusal { get; }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await Client.DisposeAsync();
        Image.Dispose();
    }

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
        var name = Name(HonoursRetryAfter ? "public/paced" : "public/limited");
        await Stack.Registry.PushAsync(Image, name, "1");
        using (var client = Stack.Gateway.Process.CreateClient())
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", "Og=="); // nobody
            client.DefaultRequestHeaders.Accept.ParseAdd(TestImage.ManifestType);
            using var pulled = await client.GetAsync($"/v2/{name}/manifests/1");
            Assert.Equal(HttpStatusCode.OK, pulled.StatusCode);
        }

        var pull = await Client.PullAsync($"{name}:1");

        if (HonoursRetryAfter)
        {
            pull.Succeeded();
            return;
        }

        Assert.NotEqual(0, pull.ExitCode);
        Assert.Matches("(?i)toomanyrequests|too many requests", pull.Text);
        Assert.DoesNotMatch("(?i)unauthorized|denied|authentication required|docker login", pull.Text);
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

        var push = await Stack.Gateway.RecordAsync(() => Client.PushAgainAsync(Image, Name("team-a/app:1"), Name("team-a/copy:1")));

        AssertRequests("mount", push);
        Assert.Equal(
            await Stack.Registry.DigestOfAsync(Name("team-a/app"), "1"), await Stack.Registry.DigestOfAsync(Name("team-a/copy"), "1"));
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
        Assert.Contains(push, static request => request is { Method: "PUT", Status: 201 } && request.Target.Contains("digest=", StringComparison.Ordinal));
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

    /// <summary>A name that no other test uses, for the given one.</summary>
    private protected string Name(string name) => name.Replace("/", $"/{_prefix}", StringComparison.Ordinal);

    private protected async Task SignInAsync(string user) =>
        (await Client.LoginAsync(user, ClientsFixture.PasswordOf(user))).Succeeded();

    /// <summary>
    /// Compares each different request with the documented ones, by the first time it was made: how often and in which
    /// order the layers go changes from run to run.
    /// </summary>
    private protected void AssertRequests(string operation, Recording requests)
    {
        Assert.All(
            requests.Where(static request => request is { IsToken: true, Status: 200 }),
            static token => Assert.Equal("access_token,expires_in,scope,token", token.Body));
        var expected = DocumentedRequests.Of(_name, operation);
        var actual = string.Join('\n', requests.Lines.Distinct()).Replace(_prefix, "", StringComparison.Ordinal);

        Assert.True(expected == actual, $"docs/clients.md has for {_name}, {operation}\n{expected}\nbut it asked\n{actual}");
    }
}
