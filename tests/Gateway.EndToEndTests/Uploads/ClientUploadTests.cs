using System.Formats.Tar;
using Gateway.EndToEndTests.Support;
using Gateway.Server.Host.Configuration;
using Microsoft.AspNetCore.Http;
using Xunit.Abstractions;

namespace Gateway.EndToEndTests.Uploads;

/// <summary>Real clients whose access token ends, by the gateway's clock, while they upload.</summary>
/// <remarks>
/// skopeo, podman and buildah share their code; they go by <c>expires_in</c> and their own clock, which stands here. On
/// a line so slow that it really takes that long they fetch a new token before the PUT. containerd 1.6 keeps a token
/// without regard to its end, and uploads a blob with one PUT.
/// </remarks>
public sealed class ClientUploadTests(ContainerdEngine containerd, ITestOutputHelper output)
    : IClassFixture<ContainerdEngine>, IAsyncLifetime, IDisposable
{
    private const string User = "alice:alice-password-1";
    private const int Blobs = 4; // three layers and the configuration

    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    private readonly TestImage _image = TestImage.Create(size: 20 * 1024 * 1024);
    private RegistryProcess _registry = null!;

    public async Task InitializeAsync() => _registry = await RegistryProcess.StartAsync();

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _image.Dispose();

    [Theory]
    [InlineData("skopeo", 2 * Blobs)] // PATCH and PUT for each
    [InlineData("containerd", Blobs)] // PUT alone
    public async Task Push_WhoseTokenEndsDuringEachUpload_SucceedsWithThatToken(string client, int requests)
    {
        await using var gateway = await StartAsync();

        var push = await PushAsync(gateway, client);

        foreach (var request in gateway.Arrived.Requests)
        {
            output.WriteLine(
                $"{request.Method} {request.Path} {request.Status}, token ends in {request.TokenEnds - request.At}");
        }

        push.Succeeded();
        var late = gateway.Arrived.Requests.Where(static request => IsOnAnUpload(request.Path)).ToList();
        Assert.Equal(requests, late.Count);
        Assert.All(late, static request =>
        {
            Assert.True(request.At - request.TokenEnds > Leeway, "the client got a new token by itself");
            Assert.True(request.Status is 201 or 202);
        });
        Assert.Equal(_image.ManifestDigest, await DigestAsync(gateway));
    }

    // containerd 1.6 waits for ever when its PUT is refused: there is nothing to assert, and all the more to prevent.
    [Fact]
    public async Task Push_WhoseTokenEndsWhereTheWindowIsOff_Fails()
    {
        await using var gateway = await StartAsync(static options => options.Tokens.UploadWindow = TimeSpan.Zero);

        var push = await PushWithSkopeoAsync(gateway);

        push.FailedWith("unauthorized");
    }

    private static bool IsOnAnUpload(string path) =>
        path.Contains("/blobs/uploads/", StringComparison.Ordinal) && !path.EndsWith('/');

    // The body of a blob is ten minutes on its way, and what ends the upload ten more.
    private static TimeSpan TimeOnTheWay(HttpRequest request) =>
        !IsOnAnUpload(request.Path.Value!) ? TimeSpan.Zero
        : request.Method == "PATCH" ? TimeSpan.FromMinutes(10)
        : TimeSpan.FromMinutes(20);

    private Task<ClockedGateway> StartAsync(Action<GatewayOptions>? change = null) =>
        ClockedGateway.StartAsync(_registry.Address, change, TimeOnTheWay);

    private Task<CliResult> PushAsync(ClockedGateway gateway, string client) =>
        client == "skopeo" ? PushWithSkopeoAsync(gateway) : PushWithContainerdAsync(gateway);

    private Task<CliResult> PushWithSkopeoAsync(ClockedGateway gateway) => Cli.RunAsync("skopeo",
    [
        "copy", "--dest-creds", User, "--dest-cert-dir", gateway.TrustFolder, $"oci:{_image.OciLayout}:latest",
        $"docker://{gateway.Authority}/team-a/app:1.0",
    ]);

    private async Task<CliResult> PushWithContainerdAsync(ClockedGateway gateway)
    {
        // It would speak plain HTTP to localhost.
        var hosts = Directory.CreateDirectory(Path.Combine(containerd.HostsFolder, gateway.Authority)).FullName;
        await File.WriteAllTextAsync(Path.Combine(hosts, "hosts.toml"), $"""
            [host."https://{gateway.Authority}"]
              ca = "{Path.Combine(gateway.TrustFolder, "ca.crt")}"
            """);
        var archive = Path.Combine(gateway.Folder, "image.tar");
        await TarFile.CreateFromDirectoryAsync(_image.OciLayout, archive, includeBaseDirectory: false);
        (await containerd.CtrAsync("images", "import", "--no-unpack", "--base-name", "local/image", archive))
            .Succeeded();
        return await containerd.CtrAsync(
            "images", "push", "--hosts-dir", containerd.HostsFolder, "--user", User,
            $"{gateway.Authority}/team-a/app:1.0",
            "local/image:latest");
    }

    private static async Task<string> DigestAsync(ClockedGateway gateway) => (await Cli.RunAsync("skopeo",
    [
        "inspect", "--format", "{{.Digest}}", "--creds", User, "--cert-dir", gateway.TrustFolder,
        $"docker://{gateway.Authority}/team-a/app:1.0",
    ])).Succeeded();
}
