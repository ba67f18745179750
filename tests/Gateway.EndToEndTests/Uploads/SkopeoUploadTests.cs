using Gateway.EndToEndTests.Support;
using Microsoft.AspNetCore.Http;
using Xunit.Abstractions;

namespace Gateway.EndToEndTests.Uploads;

/// <summary>A real client whose access token ends, by the gateway's clock, while it uploads: skopeo, as podman and buildah do it.</summary>
public sealed class SkopeoUploadTests(ITestOutputHelper output) : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    private readonly TestImage _image = TestImage.Create(size: 20 * 1024 * 1024);
    private RegistryProcess _registry = null!;

    public async Task InitializeAsync() => _registry = await RegistryProcess.StartAsync();

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _image.Dispose();

    [Fact]
    public async Task Copy_WhoseTokenEndsDuringEachUpload_SucceedsWithThatToken()
    {
        await using var gateway = await ClockedGateway.StartAsync(_registry.Address, delay: TimeOnTheWay);

        var copy = await CopyAsync(gateway);

        foreach (var request in gateway.Arrived.Requests)
        {
            output.WriteLine($"{request.Method} {request.Path} {request.Status}, token ends in {request.TokenEnds - request.At}");
        }

        copy.Succeeded();
        var late = gateway.Arrived.Requests.Where(static request => request.Method is "PATCH" or "PUT" && IsOnAnUpload(request.Path)).ToList();
        Assert.Equal(8, late.Count); // four blobs
        Assert.All(late, static request =>
        {
            Assert.True(request.At - request.TokenEnds > Leeway, "skopeo got a new token by itself");
            Assert.True(request.Status is 201 or 202);
        });
        Assert.DoesNotContain(gateway.Arrived.Requests, static request => request.Status == 401 && request.TokenEnds is not null);

        var inspected = await Cli.RunAsync("skopeo",
            ["inspect", "--format", "{{.Digest}}", "--creds", "alice:alice-password-1", "--cert-dir", gateway.TrustFolder, Remote(gateway)]);
        Assert.Equal(_image.ManifestDigest, inspected.Succeeded());
    }

    [Fact]
    public async Task Copy_WhoseTokenEndsWhereTheWindowIsOff_Fails()
    {
        await using var gateway = await ClockedGateway.StartAsync(
            _registry.Address, static options => options.Tokens.UploadWindow = TimeSpan.Zero, TimeOnTheWay);

        var copy = await CopyAsync(gateway);

        copy.FailedWith("unauthorized");
    }

    // The body of a blob is ten minutes on its way, and what ends the upload ten more. skopeo's own clock stands meanwhile,
    // so that it goes on with the token it has.
    private static TimeSpan TimeOnTheWay(HttpRequest request) =>
        !IsOnAnUpload(request.Path) ? TimeSpan.Zero
        : request.Method == "PATCH" ? TimeSpan.FromMinutes(10)
        : TimeSpan.FromMinutes(20);

    private static bool IsOnAnUpload(string? path) =>
        path!.Contains("/blobs/uploads/", StringComparison.Ordinal) && !path.EndsWith('/');

    private static string Remote(ClockedGateway gateway) => $"docker://{gateway.Authority}/team-a/app:1.0";

    private Task<CliResult> CopyAsync(ClockedGateway gateway) => Cli.RunAsync("skopeo",
    [
        "copy", "--dest-creds", "alice:alice-password-1", "--dest-cert-dir", gateway.TrustFolder,
        $"oci:{_image.OciLayout}:latest", Remote(gateway),
    ]);
}
