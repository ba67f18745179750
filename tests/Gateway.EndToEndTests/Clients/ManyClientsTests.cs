using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>Every client at the same time, each with several layers under way.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class ManyClientsTests(ClientsFixture stack, DockerEngine docker, ContainerdEngine containerd)
{
    private const int SmallLayers = 9;
    private const int Size = 4 * 1024 * 1024;

    [Fact]
    public async Task PushPull_EveryClientAtOnce_KeepsEveryImage()
    {
        RegistryClient[] clients =
        [
            new DockerClient(stack.Gateway, docker),
            new PodmanClient(stack.Gateway, "podman"),
            new PodmanClient(stack.Gateway, "buildah"),
            new SkopeoClient(stack.Gateway),
            new OrasClient(stack.Gateway),
            new ContainerdClient(stack.Gateway, containerd),
        ];

        // Two repositories a client, one of them somebody else's business: half sign in as alice, half as bob.
        await Task.WhenAll(clients.Select((client, index) => PushAndPullAsync(client, index % 2 == 0)));
    }

    private async Task PushAndPullAsync(RegistryClient client, bool isAlice)
    {
        using var image = TestImage.Create(Size, SmallLayers);
        await using var owned = client;
        var (user, team) = isAlice ? ("alice", "team-a") : ("bob", "team-b");
        (await client.LoginAsync(user, ClientsFixture.PasswordOf(user))).Succeeded();
        var repositories = new[] { $"{team}/many-{Guid.NewGuid():n}", $"{team}/many-{Guid.NewGuid():n}" };
        foreach (var repository in repositories)
        {
            (await client.PushAsync(image, $"{repository}:1")).Succeeded();
        }

        Assert.NotNull(await stack.Registry.DigestOfAsync(repositories[0], "1"));
        Assert.Equal(
            await stack.Registry.DigestOfAsync(repositories[0], "1"),
            await stack.Registry.DigestOfAsync(repositories[1], "1"));
        foreach (var repository in repositories)
        {
            (await client.PullAsync($"{repository}:1")).Succeeded();
        }
    }
}
