using System.Globalization;
using Gateway.EndToEndTests.Support;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.Keys;
using Gateway.Server.Tokens.Service;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.EndToEndTests.Tokens;

/// <summary><c>gateway keys probe</c> against real registries: one that is set right, and one for each fault.</summary>
public sealed class KeysProbeTests : IDisposable
{
    private const string Configuration = $"""
          Its configuration must contain this, with the files copied there (the last two lines are for Distribution 3):
            auth:
              token:
                realm: {SigningStage.PublicUrl}/token
                service: {TrustedHost.Name}
                issuer: {SigningStage.PublicUrl}
                rootcertbundle: /etc/registry/bundle.crt
                jwks: /etc/registry/jwks.json
                signingalgorithms: [ES256]

        """;

    private const string GiveKeys =
        "give it the files that \"gateway keys export\" writes, and restart it; it reads them at its start only.";

    private readonly SigningStage _stage = new(SigningAlgorithm.ES256);
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-probe-").FullName;

    public void Dispose()
    {
        _stage.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Probe_RegistryThatIsSetRight_SaysAcceptedAndExits0()
    {
        await using var registry = await _stage.StartRegistryAsync();

        var result = await ProbeAsync(registry.Address, "forwardToken: true");

        Assert.Equal(
            $"main {Origin(registry)}: accepts tokens for service \"{TrustedHost.Name}\", signed by "
                + $"key {_stage.Ring.Keys[0].Id}.\n",
            result.Output);
        Assert.Equal(0, result.ExitCode);
    }

    [Fact]
    public async Task Probe_RegistryThatIsSetRightButSentNothing_SaysHowToSend()
    {
        await using var registry = await _stage.StartRegistryAsync();

        var result = await ProbeAsync(registry.Address);

        Assert.EndsWith(
            "\n  The gateway does not send it tokens yet: set forwardToken: true for this registry.\n", result.Output,
            StringComparison.Ordinal);
        Assert.Equal(0, result.ExitCode);
    }

    [Fact]
    public async Task Probe_RegistryWithAnotherService_NamesItAndTheFix()
    {
        await using var registry = await _stage.StartRegistryAsync(service: "registry.internal");

        var result = await ProbeAsync(registry.Address);

        Assert.Equal(
            $"main {Origin(registry)}: refused the token.\n"
            + $"  Its auth.token.service is \"registry.internal\", and tokens are for \"{TrustedHost.Name}\".\n"
            + Configuration,
            result.Output);
        Assert.Equal(1, result.ExitCode);
    }

    [Fact]
    public async Task Probe_RegistryWithAnotherSpellingOfTheIssuer_NamesItAndTheFix()
    {
        await using var registry = await _stage.StartRegistryAsync(issuer: SigningStage.PublicUrl + "/");

        var result = await ProbeAsync(registry.Address);

        Assert.Equal(
            $"main {Origin(registry)}: refused the token.\n"
            + $"  Its auth.token.issuer is \"{SigningStage.PublicUrl}/\", and tokens say "
            + $"\"{SigningStage.PublicUrl}\".\n" + Configuration,
            result.Output);
        Assert.Equal(1, result.ExitCode);
    }

    [Fact]
    public async Task Probe_RegistryWithAForeignKey_NamesTheCausesByLikelihood()
    {
        using var stranger = new SigningStage(SigningAlgorithm.ES256);
        await using var registry = await _stage.StartRegistryAsync(bundle: Path.Combine(stranger.Folder, "bundle.crt"));

        var result = await ProbeAsync(registry.Address);

        Assert.Equal(
            $"main {Origin(registry)}: refused the token.\n"
            + "  Most likely it does not have the gateway's key, since it accepted no token of any service and issuer: "
            + $"{GiveKeys}\n"
            + $"  Otherwise its auth.token.issuer is not \"{SigningStage.PublicUrl}\". Its own log says which.\n"
            + Configuration,
            result.Output);
        Assert.Equal(1, result.ExitCode);
    }

    [Fact]
    public async Task Probe_RegistryThatARotationPassedBy_NamesTheKeyItKnows()
    {
        await using var registry = await _stage.StartRegistryAsync();
        var old = _stage.Ring.Keys[0].Id;
        var configuration = await WriteConfigurationAsync(registry.Address);
        (await GatewayProcess.RunCommandAsync(["keys", "rotate", "--now", "--config", configuration])).Succeeded();

        var result = await GatewayProcess.RunCommandAsync(["keys", "probe", "main", "--config", configuration]);

        var current = _stage.Ring.ActiveAt(TimeProvider.System.GetUtcNow()).Id;
        Assert.NotEqual(old, current);
        Assert.Equal(
            $"main {Origin(registry)}: refused the token.\n"
            + $"  It does not have the key that signs now ({current}), only {old}. "
            + $"It missed a rotation: {GiveKeys}\n" + Configuration,
            result.Output);
        Assert.Equal(1, result.ExitCode);
    }

    [Fact]
    public async Task Probe_RegistryThatDoesNotKnowTheNextKey_SaysSoBeforeItSigns()
    {
        await using var registry = await _stage.StartRegistryAsync();
        var configuration = await WriteConfigurationAsync(registry.Address);
        (await GatewayProcess.RunCommandAsync(["keys", "rotate", "--config", configuration])).Succeeded();

        var result = await GatewayProcess.RunCommandAsync(["keys", "probe", "--config", configuration]);

        var next = _stage.Ring.Keys[^1];
        Assert.Equal(
            $"main {Origin(registry)}: accepts today's tokens, but refuses those of the next key ({next.Id}), which "
            + $"signs from {SigningKeyText.Format(next.ActiveFrom)} on. Before then, {GiveKeys}\n",
            result.Output);
        Assert.Equal(1, result.ExitCode);
        await using var handedOver = await _stage.StartRegistryAsync();
        Assert.Equal(0, (await ProbeAsync(handedOver.Address)).ExitCode);
    }

    [Theory]
    [InlineData(-10, "behind")]
    [InlineData(10, "ahead of")]
    public async Task Probe_RegistryWithAnotherClock_SaysByHowMuch(int minutes, string side)
    {
        await using var registry = await _stage.StartRegistryAsync();
        using var client = new HttpClient();
        var host = new PublicHost(TrustedHost.Name, []);
        var probe = new RegistryProbe(
            client, _stage.Ring, host, new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddMinutes(-minutes)));

        var result = await probe.ProbeAsync(registry.Address, null, CancellationToken.None);

        Assert.Equal(RegistryProbeOutcome.Refused, result.Outcome);
        Assert.Matches(
            $"^Its clock is (59[0-9]|60[0-9]) s {side} the clock here, and at most 60 s are allowed: synchronize "
                + "both.$", result.Lines[1]);
    }

    [Fact]
    public async Task Probe_OpenRegistry_WarnsAndExits0()
    {
        await using var registry = await RegistryProcess.StartAsync();

        var result = await ProbeAsync(registry.Address, "forwardToken: true");

        Assert.Equal(
            $"main {Origin(registry)}: requires no sign-in: anyone who reaches it may do everything. That is right "
            + "only where the gateway alone can reach it; otherwise have it verify tokens.\n  forwardToken is set, but "
            + "without effect: this registry does not verify tokens.\n",
            result.Output);
        Assert.Equal(0, result.ExitCode);
    }

    [Theory]
    [InlineData("gateway-password", "accepts the configured credential.", 0)]
    [InlineData("wrong-password", "refused the configured credential (401): correct \"credential\".", 1)]
    public async Task Probe_RegistryThatAsksForPasswords_TriesTheCredential(
        string password, string answer, int exitCode)
    {
        var users = Path.Combine(_folder, "users.htpasswd");
        (await GatewayProcess.RunCommandAsync(
            ["user", "add", "gateway", "--file", users], new CliSettings { Input = "gateway-password\n" })).Succeeded();
        await using var registry = await RegistryProcess.StartAsync(new RegistrySettings
        {
            AuthenticationYaml = $"  htpasswd: {{ realm: test, path: {users} }}",
        });

        var result = await ProbeAsync(registry.Address, $"credential: {{ username: gateway, password: {password} }}");
        var without = await ProbeAsync(registry.Address);

        Assert.EndsWith(
            $": asks for a user name and password (Basic) and {answer}\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.EndsWith(
            ": asks for a user name and password (Basic), not for tokens: set the registry's \"credential\", or have "
            + "it verify tokens.\n",
            without.Output,
            StringComparison.Ordinal);
        Assert.Equal(1, without.ExitCode);
    }

    [Fact]
    public async Task Probe_RegistryThatDoesNotAnswer_Exits69()
    {
        var result = await ProbeAsync(new Uri($"http://127.0.0.1:{TestPaths.FreePort()}"));

        Assert.Matches(
            "^main http://127.0.0.1:[0-9]+: cannot be reached \\(Connection refused.*\\)\\.\n$", result.Output);
        Assert.Equal(69, result.ExitCode);
    }

    [Fact]
    public async Task Probe_RegistryOfNoSuchName_Exits78()
    {
        var configuration = await WriteConfigurationAsync(new Uri("http://127.0.0.1:1"));

        var result = await GatewayProcess.RunCommandAsync(["keys", "probe", "other", "--config", configuration]);

        Assert.Equal("REGISTRY: no registry has that name (found \"other\"). Name one of: main.\n", result.Error);
        Assert.Equal(78, result.ExitCode);
    }

    private async Task<CliResult> ProbeAsync(Uri upstream, string settings = "") =>
        await GatewayProcess.RunCommandAsync(
        ["keys", "probe", "--config", await WriteConfigurationAsync(upstream, settings)]);

    private async Task<string> WriteConfigurationAsync(Uri upstream, string settings = "")
    {
        var file = Path.Combine(_folder, "gateway.yaml");
        await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $$"""
            publicUrl: {{SigningStage.PublicUrl}}
            tls: { certificates: [ { certificate: tls.crt, key: tls.key } ] }
            registries:
              - name: main
                upstreams: [ "{{upstream}}" ]
                {{settings}}
            authentication: { htpasswd: { file: users.htpasswd } }
            policies: policies
            tokens: { keys: { folder: "{{_stage.Folder}}" } }
            """));
        return file;
    }

    private static string Origin(RegistryProcess registry) => registry.Address.GetLeftPart(UriPartial.Authority);
}
