using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>docker with a real Docker Engine, which does the talking to the registry.</summary>
[Collection(SharedMachine.Name)]
public sealed class DockerTests(ClientsFixture stack, DockerEngine engine) : IClassFixture<ClientsFixture>, IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-docker-client-").FullName;
    private readonly List<string> _images = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var image in _images)
        {
            await DockerAsync("image", "rm", "--force", image);
        }

        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Login_RightPassword_IsAccepted()
    {
        var login = await LoginAsync("alice", ClientsFixture.PasswordOf("alice"));

        Assert.Contains("Login Succeeded", login.Succeeded(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Login_WrongPassword_IsRefused()
    {
        var login = await LoginAsync("alice", "not-her-password");

        login.FailedWith("unauthorized");
    }

    [Fact]
    public async Task Login_AuthorityNotTrusted_IsRefusedByTheEngine()
    {
        var login = await stack.WithoutTrustAsync(() => LoginAsync("alice", ClientsFixture.PasswordOf("alice")));

        login.FailedWith("x509", "unknown authority");
    }

    [Fact]
    public async Task PushPull_LargeImage_KeepsEveryByte()
    {
        (await LoginAsync("alice", ClientsFixture.PasswordOf("alice"))).Succeeded();
        var image = await BuildAsync("team-a/docker:1.0", stack.Image.BuildContext);
        var built = (await DockerAsync("image", "inspect", "--format", "{{.Id}}", image)).Succeeded();

        (await DockerAsync("push", image)).Succeeded();
        var pushed = (await DockerAsync("image", "inspect", "--format", "{{.RepoDigests}}", image)).Succeeded();
        (await DockerAsync("image", "rm", "--force", image)).Succeeded();
        (await DockerAsync("pull", image)).Succeeded();

        Assert.Equal(built, (await DockerAsync("image", "inspect", "--format", "{{.Id}}", image)).Succeeded());
        Assert.Equal(pushed, (await DockerAsync("image", "inspect", "--format", "{{.RepoDigests}}", image)).Succeeded());
        Assert.Equal(stack.Image.LargeFileHash, await HashInContainerAsync(image));
    }

    [Fact]
    public async Task Push_ReaderPushes_IsRefusedWithTheReason()
    {
        (await LoginAsync("bob", ClientsFixture.PasswordOf("bob"))).Succeeded();
        var image = await BuildSmallAsync("team-a/refused:1.0");

        var push = await DockerAsync("push", image);

        push.FailedWith("denied", "team-a/refused");
    }

    [Fact]
    public async Task Pull_RepositoryWithoutGrant_IsRefusedWithTheReason()
    {
        (await LoginAsync("alice", ClientsFixture.PasswordOf("alice"))).Succeeded();

        var pull = await DockerAsync("pull", $"{stack.Authority}/team-b/app:1.0");

        pull.FailedWith("denied", "team-b/app");
    }

    [Fact]
    public async Task Push_AfterLogout_AsksForCredentials()
    {
        (await LoginAsync("alice", ClientsFixture.PasswordOf("alice"))).Succeeded();
        var image = await BuildSmallAsync("team-a/nobody:1.0");
        (await DockerAsync("logout", stack.Authority)).Succeeded();

        var push = await DockerAsync("push", image);

        push.FailedWith("no basic auth credentials");
    }

    private async Task<string> BuildSmallAsync(string name)
    {
        var context = Path.Combine(_folder, "small");
        Directory.CreateDirectory(context);
        await File.WriteAllTextAsync(Path.Combine(context, "file.txt"), $"small {Guid.NewGuid()}\n");
        await File.WriteAllTextAsync(Path.Combine(context, "Dockerfile"), "FROM scratch\nCOPY file.txt /\n");
        return await BuildAsync(name, context);
    }

    private async Task<string> BuildAsync(string name, string context)
    {
        var image = $"{stack.Authority}/{name}";
        _images.Add(image);
        (await DockerAsync("build", "--tag", image, context)).Succeeded();
        return image;
    }

    private async Task<string> HashInContainerAsync(string image)
    {
        var container = (await DockerAsync("create", image)).Succeeded();
        var copy = Path.Combine(_folder, "copy.bin");
        try
        {
            (await DockerAsync("cp", $"{container}:/{TestImage.LargeFile}", copy)).Succeeded();
        }
        finally
        {
            (await DockerAsync("rm", container)).Succeeded();
        }

        return TestImage.HashOf(copy);
    }

    private Task<CliResult> LoginAsync(string user, string password) => DockerAsync(
        ["login", "--username", user, "--password-stdin", stack.Authority], password);

    private Task<CliResult> DockerAsync(params string[] arguments) => DockerAsync(arguments, input: null);

    private Task<CliResult> DockerAsync(string[] arguments, string? input) => engine.DockerAsync(arguments, new CliSettings
    {
        Input = input,
        Environment = new Dictionary<string, string?> { ["DOCKER_CONFIG"] = _folder },
    });
}
