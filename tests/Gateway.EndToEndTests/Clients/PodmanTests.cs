using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>podman and buildah, which share their storage and the credentials that either signs in with.</summary>
[Collection(SharedMachine.Name)]
public sealed class PodmanTests(ClientsFixture stack) : IClassFixture<ClientsFixture>, IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-podman-").FullName;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await PodmanAsync("rmi", "--all", "--force");
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Login_RightPassword_IsAccepted()
    {
        Assert.Contains("Login Succeeded", (await LoginAsync("podman", "alice")).Succeeded(), StringComparison.Ordinal);
        Assert.Contains("Login Succeeded", (await LoginAsync("buildah", "alice")).Succeeded(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Login_WrongPassword_IsRefused()
    {
        (await LoginAsync("podman", "alice", "not-her-password")).FailedWith("invalid username/password");
        (await LoginAsync("buildah", "alice", "not-her-password")).FailedWith("invalid username/password");
    }

    [Fact]
    public async Task Login_AuthorityNotTrusted_IsRefusedByTheClient()
    {
        var login = await stack.WithoutTrustAsync(() => LoginAsync("podman", "alice"));

        login.FailedWith("x509", "unknown authority");
    }

    [Fact]
    public async Task BuildahPush_PodmanPull_KeepsEveryByte()
    {
        var image = $"{stack.Authority}/team-a/podman:1.0";
        (await LoginAsync("buildah", "alice")).Succeeded();
        (await BuildahAsync("build", "--tag", image, stack.Image.BuildContext)).Succeeded();
        var built = (await PodmanAsync("image", "inspect", "--format", "{{.Id}}", image)).Succeeded();

        (await BuildahAsync("push", image)).Succeeded();
        (await PodmanAsync("rmi", "--all", "--force")).Succeeded();
        (await PodmanAsync("pull", image)).Succeeded();

        Assert.Equal(built, (await PodmanAsync("image", "inspect", "--format", "{{.Id}}", image)).Succeeded());
        var root = (await PodmanAsync("image", "mount", image)).Succeeded();
        Assert.Equal(stack.Image.LargeFileHash, TestImage.HashOf(Path.Combine(root, TestImage.LargeFile)));
        (await PodmanAsync("image", "unmount", image)).Succeeded();
    }

    [Fact]
    public async Task PodmanPush_PullByDigest_KeepsTheManifest()
    {
        (await LoginAsync("podman", "alice")).Succeeded();
        var digest = Path.Combine(_folder, "digest");
        (await PodmanAsync("pull", $"oci:{stack.Image.OciLayout}:latest")).Succeeded();
        var local = (await PodmanAsync("images", "--quiet", "--no-trunc")).Succeeded();

        (await PodmanAsync("push", "--digestfile", digest, local, $"{stack.Authority}/team-a/by-digest:1.0")).Succeeded();
        (await PodmanAsync("rmi", "--all", "--force")).Succeeded();
        (await PodmanAsync("pull", $"{stack.Authority}/team-a/by-digest@{await File.ReadAllTextAsync(digest)}")).Succeeded();

        Assert.Equal(local, (await PodmanAsync("images", "--quiet", "--no-trunc")).Succeeded());
    }

    [Fact]
    public async Task Push_ReaderPushes_IsRefusedWithTheReason()
    {
        (await LoginAsync("podman", "bob")).Succeeded();
        await BuildSmallAsync("team-a/refused:1.0");

        var push = await PodmanAsync("push", $"{stack.Authority}/team-a/refused:1.0");

        push.FailedWith("denied", "team-a/refused");
    }

    [Fact]
    public async Task Push_AfterLogout_AsksForCredentials()
    {
        (await LoginAsync("podman", "alice")).Succeeded();
        await BuildSmallAsync("team-a/nobody:1.0");
        (await PodmanAsync("logout", stack.Authority)).Succeeded();

        var push = await PodmanAsync("push", $"{stack.Authority}/team-a/nobody:1.0");

        push.FailedWith("authentication required");
    }

    private async Task BuildSmallAsync(string image)
    {
        var context = Path.Combine(_folder, "small");
        Directory.CreateDirectory(context);
        await File.WriteAllTextAsync(Path.Combine(context, "file.txt"), "small\n");
        await File.WriteAllTextAsync(Path.Combine(context, "Dockerfile"), "FROM scratch\nCOPY file.txt /\n");
        (await BuildahAsync("build", "--tag", $"{stack.Authority}/{image}", context)).Succeeded();
    }

    private Task<CliResult> LoginAsync(string program, string user, string? password = null) => RunAsync(
        program, ["login", "--username", user, "--password-stdin", stack.Authority], password ?? ClientsFixture.PasswordOf(user));

    private Task<CliResult> PodmanAsync(params string[] arguments) => RunAsync("podman", arguments, input: null);

    private Task<CliResult> BuildahAsync(params string[] arguments) => RunAsync("buildah", arguments, input: null);

    // Storage of the test's own; vfs needs nothing of the kernel.
    private Task<CliResult> RunAsync(string program, string[] arguments, string? input) => Cli.RunAsync(
        program,
        [
            "--root", Path.Combine(_folder, "storage"), "--runroot", Path.Combine(_folder, "run"), "--storage-driver", "vfs",
            .. arguments,
        ],
        new CliSettings
        {
            Input = input,
            Environment = new Dictionary<string, string?>
            {
                ["REGISTRY_AUTH_FILE"] = Path.Combine(_folder, "auth.json"),
                ["PODMAN_IGNORE_CGROUPSV1_WARNING"] = "1",
            },
        });
}
