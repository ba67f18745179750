using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// With <c>tokens.refreshTokens</c>: docker stores a refresh token, which it calls identity token, instead of the
/// password, and every client that reads docker's file must be able to use it.
/// </summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class IdentityTokenTests(ClientsFixture stack, RefreshTokensFixture refreshing, DockerEngine engine)
    : IClassFixture<RefreshTokensFixture>, IAsyncLifetime
{
    private readonly TestImage _image = TestImage.Create(size: 1024);
    private readonly string _name = $"team-a/identity-{Guid.NewGuid():n}";
    private readonly DockerClient _docker = new(refreshing.Gateway, engine);

    public Task InitializeAsync() => stack.Registry.PushAsync(_image, _name, "1");

    public async Task DisposeAsync()
    {
        await _docker.DisposeAsync();
        _image.Dispose();
    }

    [Fact]
    public async Task DockerLogin_StoresTheTokenAndNotThePassword()
    {
        var requests = await refreshing.Gateway.RecordAsync(
            () => _docker.LoginAsync("alice", ClientsFixture.PasswordOf("alice")));

        Assert.Equal(DocumentedRequests.Of("docker", "login"), requests.ToString());
        Assert.Equal("access_token,expires_in,refresh_token,scope,token", requests[1].Body);
        var entry = Entry();
        Assert.StartsWith("rgf_", entry.GetProperty("identitytoken").GetString(), StringComparison.Ordinal);
        Assert.Equal(
            "alice:", Encoding.UTF8.GetString(Convert.FromBase64String(entry.GetProperty("auth").GetString()!)));
        var file = await File.ReadAllTextAsync(_docker.ConfigurationFile);
        Assert.DoesNotContain(ClientsFixture.PasswordOf("alice"), file, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DockerPull_PostsTheToken()
    {
        await SignInAsync();

        var requests = await refreshing.Gateway.RecordAsync(() => _docker.PullAsync($"{_name}:1"));

        AssertPosts(requests, $"scope=repository:{_name}:pull");
    }

    [Fact]
    public async Task DockerPush_PostsTheToken()
    {
        await SignInAsync();

        var requests = await refreshing.Gateway.RecordAsync(() => _docker.PushAsync(_image, $"{_name}-pushed:1"));

        AssertPosts(requests, $"scope=repository:{_name}-pushed:push,pull");
    }

    [Fact]
    public async Task Skopeo_ReadsDockersFile()
    {
        await SignInAsync();
        await using var skopeo = new SkopeoClient(refreshing.Gateway);
        File.Copy(_docker.ConfigurationFile, skopeo.CredentialsFile);

        var requests = await refreshing.Gateway.RecordAsync(() => skopeo.PullAsync($"{_name}:1"));

        AssertPosts(requests, $"scope=repository:{_name}:pull");
    }

    [Fact]
    public async Task Podman_ReadsDockersFile()
    {
        await SignInAsync();
        await using var podman = new PodmanClient(refreshing.Gateway, "podman");
        File.Copy(_docker.ConfigurationFile, podman.CredentialsFile, overwrite: true);

        var requests = await refreshing.Gateway.RecordAsync(() => podman.PullAsync($"{_name}:1"));

        AssertPosts(requests, $"scope=repository:{_name}:pull");
    }

    [Fact]
    public async Task Oras_ReadsDockersFile()
    {
        await SignInAsync();
        await using var oras = new OrasClient(refreshing.Gateway);
        File.Copy(_docker.ConfigurationFile, oras.CredentialsFile);

        var requests = await refreshing.Gateway.RecordAsync(() => oras.PullAsync($"{_name}:1"));

        AssertPosts(requests, $"scope=repository:{_name}:pull");
    }

    [Fact]
    public async Task DockerLogin_Twice_GivesAnotherTokenAndKeepsTheFirst()
    {
        await SignInAsync();
        var first = Entry().GetProperty("identitytoken").GetString();
        await using var second = new DockerClient(refreshing.Gateway, engine);
        (await second.LoginAsync("alice", ClientsFixture.PasswordOf("alice"))).Succeeded();

        (await _docker.PullAsync($"{_name}:1")).Succeeded();

        Assert.Equal(first, Entry().GetProperty("identitytoken").GetString()); // docker ignores rotated ones: it stays
    }

    [Fact]
    public async Task TokenRevoked_NextPull_IsRefused()
    {
        (await _docker.LoginAsync("bob", ClientsFixture.PasswordOf("bob"))).Succeeded();
        (await _docker.PullAsync($"{_name}:1")).Succeeded();

        (await refreshing.Gateway.RunCommandAsync("token", "revoke", "--all-of", "user:bob")).Succeeded();
        await ClientGateway.UntilAsync(async () => (await _docker.PullAsync($"{_name}:1")).ExitCode != 0);

        (await _docker.PullAsync($"{_name}:1")).FailedWith("unauthorized", "revoked");
    }

    private async Task SignInAsync() =>
        (await _docker.LoginAsync("alice", ClientsFixture.PasswordOf("alice"))).Succeeded();

    private JsonElement Entry()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(_docker.ConfigurationFile));
        return file.RootElement.GetProperty("auths").GetProperty(refreshing.Gateway.Authority).Clone();
    }

    private static void AssertPosts(Recording requests, string scope)
    {
        var tokens = requests.Where(static request => request.IsToken).ToList();
        Assert.NotEmpty(tokens);
        Assert.All(tokens, token =>
        {
            Assert.Equal("POST", token.Method);
            Assert.Equal(200, token.Status);
            Assert.Contains("grant_type=refresh_token", token.Form, StringComparison.Ordinal);
            Assert.Contains(scope, token.Form, StringComparison.Ordinal);
        });
    }
}
