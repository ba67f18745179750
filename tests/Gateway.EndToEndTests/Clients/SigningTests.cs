using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>cosign and notation, which put a signature beside the image that they sign.</summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
public sealed class SigningTests : ClientTests
{
    private readonly ClientProgram _cosign = ClientProgram.Later("sid", "cosign");
    private readonly ClientProgram _notation = ClientProgram.Later("sid", "notation");
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-client-").FullName;

    public SigningTests(ClientsFixture stack)
        : base(stack, "sign", new CraneClient(stack.Gateway))
    {
    }

    [Fact]
    public async Task Cosign_SignAndVerify_MakesTheseRequests()
    {
        var image = await PushAsync();
        (await CosignAsync("generate-key-pair")).Succeeded();

        var sign = await Stack.Gateway.RecordAsync(() => SignWithCosignAsync(image));
        var verify = await CosignAsync("verify", "--key", "cosign.pub", "--insecure-ignore-tlog=true", image);

        AssertRequests("cosign-" + _cosign.Version, "sign", sign);
        verify.Succeeded();
    }

    [Fact]
    public async Task Cosign_Reader_IsRefusedWithTheReason()
    {
        var image = await PushAsync();
        (await CosignAsync("generate-key-pair")).Succeeded();
        SignIn("bob");

        var sign = await SignWithCosignAsync(image);

        sign.FailedWith("DENIED: user:bob may not push");
    }

    [Fact]
    public async Task Notation_Sign_MakesTheseRequests()
    {
        var image = await PushAsync();
        (await NotationAsync("cert", "generate-test", "--default", "test")).Succeeded();

        var sign = await Stack.Gateway.RecordAsync(() => NotationAsync("sign", image));

        AssertRequests("notation-" + _notation.Version, "sign", sign);
        Assert.Contains(
            "application/vnd.cncf.notary.signature", (await NotationAsync("list", image)).Succeeded(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Notation_Reader_IsRefusedWithTheReason()
    {
        var image = await PushAsync();
        (await NotationAsync("cert", "generate-test", "--default", "test")).Succeeded();
        SignIn("bob");

        var sign = await NotationAsync("sign", image);

        sign.FailedWith("denied: user:bob may not push");
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    // Alice's, and signed in as her.
    private async Task<string> PushAsync()
    {
        await Stack.Registry.PushAsync(Image, Name("team-a/signed"), "1");
        SignIn("alice");
        return $"{Stack.Authority}/{Name("team-a/signed")}@{Image.ManifestDigest}";
    }

    // Neither has a login that works without a keyring; both read docker's file.
    private void SignIn(string user)
    {
        var auth = Convert.ToBase64String(
            System.Text.Encoding.UTF8.GetBytes($"{user}:{ClientsFixture.PasswordOf(user)}"));
        File.WriteAllText(
            Path.Combine(_folder, "config.json"), $$"""{"auths":{"{{Stack.Authority}}":{"auth":"{{auth}}"} } }""");
    }

    // With a key and without a log, so that nothing outside this machine is asked.
    private Task<CliResult> SignWithCosignAsync(string image) => CosignAsync(
        "sign", "--key", "cosign.key", "--tlog-upload=false", "--use-signing-config=false", "--yes", image);

    private Task<CliResult> CosignAsync(params string[] arguments) => _cosign.RunAsync(arguments, Settings());

    private Task<CliResult> NotationAsync(params string[] arguments) => _notation.RunAsync(arguments, Settings());

    private CliSettings Settings() => new()
    {
        Folder = _folder,
        Environment = new Dictionary<string, string?>
        {
            ["DOCKER_CONFIG"] = _folder,
            ["HOME"] = _folder,
            ["XDG_CONFIG_HOME"] = Path.Combine(_folder, "config"),
            ["COSIGN_PASSWORD"] = "",
            ["SSL_CERT_FILE"] = Stack.Gateway.Process.AuthorityFile,
        },
    };
}
