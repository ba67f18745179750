using System.Net;
using System.Net.Http.Headers;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>What every client's tests need: a gateway, the client, an image, and names of their own.</summary>
public abstract class ClientTests : IAsyncLifetime
{
    private const int SmallSize = 64 * 1024;
    private readonly string _name;
    private readonly string _prefix;

    private protected ClientTests(ClientsFixture stack, string name, RegistryClient client)
    {
        Stack = stack;
        Client = client;
        _name = name;
        _prefix = $"{name.Replace('.', '-')}-{Guid.NewGuid():n}-";
        Image = TestImage.Create(SmallSize);
    }

    private protected ClientsFixture Stack { get; }

    private protected RegistryClient Client { get; }

    /// <summary>Made for the test: nothing of it is in the registry, nor in the client's memory.</summary>
    private protected TestImage Image { get; }

    public Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync()
    {
        await Client.DisposeAsync();
        Image.Dispose();
    }

    /// <summary>A name that no other test uses, for the given one.</summary>
    private protected string Name(string name) => name.Replace("/", $"/{_prefix}", StringComparison.Ordinal);

    private protected async Task SignInAsync(string user) =>
        (await Client.LoginAsync(user, ClientsFixture.PasswordOf(user))).Succeeded();

    /// <summary>Puts the image into a limited repository and takes the one pull that its limit allows.</summary>
    /// <returns>The repository's name.</returns>
    private protected async Task<string> UseUpAsync(string repository)
    {
        var name = Name(repository);
        await Stack.Registry.PushAsync(Image, name, "1");
        using var client = Stack.Gateway.Process.CreateClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", "Og=="); // nobody
        client.DefaultRequestHeaders.Accept.ParseAdd(TestImage.ManifestType);
        using var pulled = await client.GetAsync($"/v2/{name}/manifests/1");
        Assert.Equal(HttpStatusCode.OK, pulled.StatusCode);
        return name;
    }

    /// <summary>Fails the test unless a pull failed and nobody would take it for anything but a limit.</summary>
    private protected static void AssertLimited(CliResult pull, string words = "(?i)toomanyrequests|too many requests")
    {
        Assert.NotEqual(0, pull.ExitCode);
        Assert.Matches(words, pull.Text);
        Assert.DoesNotMatch("(?i)unauthorized|denied|authentication required|docker login", pull.Text);
    }

    /// <summary>
    /// Compares each different request with the documented ones, by the first time it was made: how often and in which
    /// order the layers go changes from run to run.
    /// </summary>
    /// <remarks>
    /// Debian's newest suite changes: of a version that the page does not have, only that it goes through is asked.
    /// </remarks>
    private protected void AssertRequests(string operation, Recording requests) =>
        AssertRequests(_name, operation, requests);

    private protected void AssertRequests(string client, string operation, Recording requests)
    {
        Assert.All(
            requests.Where(static request => request is { IsToken: true, Status: 200 }),
            static token => Assert.Equal("access_token,expires_in,scope,token", token.Body));
        var expected = DocumentedRequests.Of(client, operation);
        var actual = string.Join('\n', requests.Lines.Distinct()).Replace(_prefix, "", StringComparison.Ordinal);
        if (expected is null)
        {
            Assert.NotEmpty(requests);
            return;
        }

        Assert.True(
            expected == actual, $"docs/clients.md has for {client}, {operation}\n{expected}\nbut it asked\n{actual}");
    }
}
