using System.Text.Json;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// curl, as scripts use it: the steps of the token exchange by hand, and Basic without being asked for it.
/// </summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class CurlTests(ClientsFixture stack) : IDisposable
{
    private readonly TestImage _image = TestImage.Create(size: 1024);
    private readonly string _repository = $"team-a/curl-{Guid.NewGuid():n}";

    public void Dispose() => _image.Dispose();

    [Fact]
    public async Task Delete_TokenOfAnOwner_DeletesTheManifest()
    {
        await stack.Registry.PushAsync(_image, _repository, "1");
        var token = await TokenAsync("admin", "delete");

        var delete = await CurlAsync(
            "--request", "DELETE", "--header", $"Authorization: Bearer {token}", Manifest(_image.ManifestDigest));

        Assert.Equal("202", delete);
        Assert.Null(await stack.Registry.DigestOfAsync(_repository, "1"));
    }

    [Fact]
    public async Task Delete_TokenOfAWriter_IsRefused()
    {
        await stack.Registry.PushAsync(_image, _repository, "1");
        var token = await TokenAsync("alice", "delete");

        var delete = await CurlAsync(
            "--request", "DELETE", "--header", $"Authorization: Bearer {token}", Manifest(_image.ManifestDigest));

        Assert.Equal("403", delete);
        Assert.NotNull(await stack.Registry.DigestOfAsync(_repository, "1"));
    }

    [Fact]
    public async Task Get_PasswordUnasked_IsAccepted()
    {
        await stack.Registry.PushAsync(_image, _repository, "1");

        var get = await CurlAsync(
            "--user", $"alice:{ClientsFixture.PasswordOf("alice")}",
            "--header", "Accept: application/vnd.oci.image.manifest.v1+json", Manifest("1"));

        Assert.Equal("200", get);
    }

    private string Manifest(string reference) => $"https://{stack.Authority}/v2/{_repository}/manifests/{reference}";

    private async Task<string> TokenAsync(string user, string actions)
    {
        var answer = await Cli.RunAsync("curl", [
            "--silent", "--show-error", "--fail", "--cacert", stack.Gateway.Process.AuthorityFile,
            "--user", $"{user}:{ClientsFixture.PasswordOf(user)}",
            "--get", "--data-urlencode", $"service={stack.Authority}", "--data-urlencode",
            $"scope=repository:{_repository}:{actions}",
            $"https://{stack.Authority}/token",
        ]);
        using var json = JsonDocument.Parse(answer.Succeeded());
        return json.RootElement.GetProperty("token").GetString()!;
    }

    // Gives the status.
    private async Task<string> CurlAsync(params string[] arguments) => (await Cli.RunAsync("curl", [
        "--silent", "--show-error", "--cacert", stack.Gateway.Process.AuthorityFile, "--output", "/dev/null",
        "--write-out", "%{http_code}",
        .. arguments,
    ])).Succeeded();
}
