using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>skopeo, which signs in, copies and inspects without a daemon.</summary>
[Collection(SharedMachine.Name)]
public sealed class SkopeoTests(ClientsFixture stack) : IClassFixture<ClientsFixture>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-skopeo-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

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

        login.FailedWith("invalid username/password");
    }

    [Fact]
    public async Task Login_AuthorityNotTrusted_IsRefusedByTheClient()
    {
        var login = await stack.WithoutTrustAsync(() => LoginAsync("alice", ClientsFixture.PasswordOf("alice")));

        login.FailedWith("x509", "unknown authority");
    }

    [Fact]
    public async Task Copy_LargeImageThereAndBack_KeepsEveryByte()
    {
        (await LoginAsync("alice", ClientsFixture.PasswordOf("alice"))).Succeeded();
        var copy = Path.Combine(_folder, "copy");

        (await SkopeoAsync("copy", $"oci:{stack.Image.OciLayout}:latest", Remote("team-a/skopeo:1.0"))).Succeeded();
        (await SkopeoAsync("copy", Remote("team-a/skopeo:1.0"), $"oci:{copy}:latest")).Succeeded();

        var blobs = TestImage.BlobsOf(copy);
        Assert.Equal(TestImage.BlobsOf(stack.Image.OciLayout), blobs);
        Assert.All(blobs, static blob => Assert.Equal(blob.Key, blob.Value)); // each is what its name says
        var digest = (await SkopeoAsync("inspect", "--format", "{{.Digest}}", Remote("team-a/skopeo:1.0"))).Succeeded();
        Assert.Equal(stack.Image.ManifestDigest, digest);
    }

    [Fact]
    public async Task Copy_ReaderPushes_IsRefusedWithTheReason()
    {
        (await LoginAsync("bob", ClientsFixture.PasswordOf("bob"))).Succeeded();

        var copy = await SkopeoAsync("copy", $"oci:{stack.Image.OciLayout}:latest", Remote("team-a/refused:1.0"));

        copy.FailedWith("denied", "team-a/refused");
    }

    [Fact]
    public async Task Copy_AfterLogout_AsksForCredentials()
    {
        (await LoginAsync("alice", ClientsFixture.PasswordOf("alice"))).Succeeded();
        (await SkopeoAsync("logout", stack.Authority)).Succeeded();

        var copy = await SkopeoAsync("copy", $"oci:{stack.Image.OciLayout}:latest", Remote("team-a/nobody:1.0"));

        copy.FailedWith("authentication required");
    }

    private string Remote(string image) => $"docker://{stack.Authority}/{image}";

    private Task<CliResult> LoginAsync(string user, string password) => SkopeoAsync(
        ["login", "--username", user, "--password-stdin", stack.Authority], password);

    private Task<CliResult> SkopeoAsync(params string[] arguments) => SkopeoAsync(arguments, input: null);

    private Task<CliResult> SkopeoAsync(string[] arguments, string? input) => Cli.RunAsync("skopeo", arguments, new CliSettings
    {
        Input = input,
        Environment = new Dictionary<string, string?> { ["REGISTRY_AUTH_FILE"] = Path.Combine(_folder, "auth.json") },
    });
}
