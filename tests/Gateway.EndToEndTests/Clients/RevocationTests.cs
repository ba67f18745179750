using System.Diagnostics.CodeAnalysis;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// Who loses an account or a token is refused from the next request on, whatever the client still holds.
/// </summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class RevocationTests(ClientsFixture stack, DockerEngine engine) : IAsyncLifetime
{
    private readonly TestImage _image = TestImage.Create(size: 1024);
    private readonly string _name = $"team-a/revocation-{Guid.NewGuid():n}";
    private readonly DockerClient _docker = new(stack.Gateway, engine);
    private readonly SkopeoClient _skopeo = new(stack.Gateway);

    public Task InitializeAsync() => stack.Registry.PushAsync(_image, _name, "1");

    public async Task DisposeAsync()
    {
        await _docker.DisposeAsync();
        await _skopeo.DisposeAsync();
        _image.Dispose();
    }

    [Fact]
    public async Task UserRemoved_NextPull_IsRefused()
    {
        var file = stack.Gateway.Process.UsersFile;
        await AddUserAsync("carol", "carol-password-1");
        (await _docker.LoginAsync("carol", "carol-password-1")).Succeeded();
        (await _skopeo.LoginAsync("carol", "carol-password-1")).Succeeded();
        (await _docker.PullAsync($"{_name}:1")).Succeeded();
        (await _skopeo.PullAsync($"{_name}:1")).Succeeded();

        (await GatewayProcess.RunCommandAsync(["user", "remove", "carol", "--file", file])).Succeeded();
        await stack.Gateway.UntilRefusedAsync("carol", "carol-password-1");

        (await _docker.PullAsync($"{_name}:1")).FailedWith("unauthorized");
        (await _skopeo.PullAsync($"{_name}:1")).FailedWith("unauthorized");
    }

    [Fact]
    public async Task PersonalTokenRevoked_NextPull_IsRefusedAndSaysSo()
    {
        var (id, secret) = await stack.Gateway.CreateTokenAsync("--user", "alice", "--all");
        (await _docker.LoginAsync("alice", secret)).Succeeded();
        (await _docker.PullAsync($"{_name}:1")).Succeeded();

        (await stack.Gateway.RunCommandAsync("token", "revoke", id)).Succeeded();
        await stack.Gateway.UntilRefusedAsync("alice", secret);

        (await _docker.PullAsync($"{_name}:1")).FailedWith("unauthorized", "revoked");
        (await _docker.LoginAsync("alice", secret)).FailedWith("unauthorized", "revoked");
    }

    private async Task AddUserAsync(string name, string password)
    {
        string[] add = ["user", "add", name, "--file", stack.Gateway.Process.UsersFile];
        (await GatewayProcess.RunCommandAsync(add, new CliSettings { Input = password + "\n" })).Succeeded();
        await stack.Gateway.UntilAcceptedAsync(name, password);
    }
}
