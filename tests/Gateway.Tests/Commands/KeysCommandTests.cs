using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Gateway.Commands;
using Gateway.Tests.Server.Host.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Commands;

public sealed class KeysCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _config;

    public KeysCommandTests() => _config = _folder.Write("gateway.yaml", ConfigurationSamples.Minimal);

    private string Keys => Path.Combine(_folder.Path, "state", "keys");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task List_NeverStarted_SaysSoAndMakesNothing()
    {
        var (exitCode, output, error) = await RunAsync("list");

        Assert.Equal((78, ""), (exitCode, output));
        Assert.Equal(
            $"{Keys}: the folder of signing keys does not exist. Restore it, or start the gateway, which creates it.\n",
            error);
        Assert.False(Directory.Exists(Keys));
    }

    [Fact]
    public async Task Rotate_ListRetire_GoTogether()
    {
        var first = Ids((await RunAsync("rotate")).Output)[0]; // the first one signs at once
        var second = Ids((await RunAsync("rotate")).Output)[0];
        var again = await RunAsync("rotate");
        Assert.Equal((1, ""), (again.ExitCode, again.Output));
        Assert.StartsWith(
            $"No key was created: {second} was created earlier and signs from 20", again.Error,
            StringComparison.Ordinal);

        var list = (await RunAsync("list")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, list.Length);
        Assert.StartsWith("ID ", list[0], StringComparison.Ordinal);
        Assert.Matches($@"\A{first}  ES256      20\S{{17}}Z  signs\z", list[1]);
        Assert.Matches($@"\A{second}  ES256      20\S{{17}}Z  next, signs from 20\S{{17}}Z on\z", list[2]);

        var third = await RunAsync("rotate", "--now");
        Assert.StartsWith("Created ", third.Output, StringComparison.Ordinal);
        Assert.Contains(", which signs now.\n", third.Output, StringComparison.Ordinal);
        Assert.Matches(
            $@"\nTokens signed by {first} are accepted until 20\S{{17}}Z; "
                + $@"to refuse them now: gateway keys retire {first}\n",
            third.Output);
        Assert.EndsWith(
            $"Removed {second}: no token that it signed can still be in use.\n", third.Output,
            StringComparison.Ordinal);

        using var json = JsonDocument.Parse((await RunAsync("list", "--json")).Output);
        var old = json.RootElement[0];
        Assert.Equal((first, "ES256", "verifies"), (Text(old, "id"), Text(old, "algorithm"), Text(old, "state")));
        Assert.Equal(TimeSpan.Parse("07:05:00"), Time(old, "verifiesUntil") - Time(json.RootElement[1], "activeFrom"));
        Assert.Equal("signs", Text(json.RootElement[1], "state"));

        var unasked = await RunAsync("retire", first);
        Assert.Equal(
            (78, "--yes: the key was not retired, because this was not confirmed. Answer yes, or give --yes.\n"),
            (unasked.ExitCode, unasked.Error));
        Assert.Equal(2, Directory.GetFiles(Keys, "*.pem").Length);

        var retired = await RunAsync("retire", first[..9], "--yes");
        Assert.Equal(0, retired.ExitCode);
        Assert.StartsWith($"Retired {first}: ", retired.Output, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Keys, "*.pem"));
        Assert.DoesNotContain(first, File.ReadAllText(Path.Combine(Keys, "jwks.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rotate_InAnHour_SignsInAnHour()
    {
        await RunAsync("rotate");

        Assert.Equal(0, (await RunAsync("rotate", "--in", "1h")).ExitCode);

        using var json = JsonDocument.Parse((await RunAsync("list", "--json")).Output);
        var next = json.RootElement[1];
        Assert.Equal(
            ("next", TimeSpan.FromHours(1)), (Text(next, "state"), Time(next, "activeFrom") - Time(next, "createdAt")));
    }

    [Theory]
    [InlineData("--in", "89s")]
    [InlineData("--in", "31d")]
    [InlineData("--in", "soon")]
    [InlineData("--in", "1h", "--now")]
    public async Task Rotate_DelayOutOfRange_IsRefused(params string[] arguments)
    {
        var (exitCode, _, error) = await RunAsync(["rotate", .. arguments]);

        Assert.Equal(78, exitCode);
        Assert.Equal(
            $"--in: this is not a duration from 90s to 30d, or it is combined with --now (found \"{arguments[1]}\"). "
                + "Write 1h or 90s, and give only one of --in and --now.\n",
            error);
        Assert.False(Directory.Exists(Keys));
    }

    [Fact]
    public async Task Retire_OnlyKey_IsRefusedWithTheFix()
    {
        var id = Ids((await RunAsync("rotate")).Output)[0];

        var (exitCode, _, error) = await RunAsync("retire", id, "--yes");

        Assert.Equal(78, exitCode);
        Assert.Equal(
            $"ID: this key signs new tokens (found \"{id}\"). Let another key take over (gateway keys rotate --now), "
                + "then retire this one.\n",
            error);
    }

    [Fact]
    public async Task Export_Folder_HoldsTheCertificatesAndTheJwkSet()
    {
        await RunAsync("rotate");
        await RunAsync("rotate");
        var target = Path.Combine(_folder.Path, "for-registry");

        var (exitCode, output, _) = await RunAsync("export", target);

        Assert.Equal((0, $"Wrote bundle.crt and jwks.json in {target}.\n"), (exitCode, output));
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPemFile(Path.Combine(target, "bundle.crt"));
        Assert.Equal(2, certificates.Count);
        Assert.Equal(
            File.ReadAllText(Path.Combine(Keys, "jwks.json")), File.ReadAllText(Path.Combine(target, "jwks.json")));
    }

    [Fact]
    public async Task Commands_KeysInRedis_ActOnThose()
    {
        await using var redis = await RedisServer.StartAsync();
        _folder.Write("gateway.yaml", ConfigurationSamples.Minimal
            + $"redis: {{ server: \"{redis.Options.Server}\", timeout: 5s }}\n"
            + "tokens: { keys: { store: redis, password: correct horse battery staple } }\n");

        var first = Ids((await RunAsync("rotate")).Output)[0];
        await RunAsync("rotate", "--now");
        Assert.Contains(first, (await RunAsync("list")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("retire", first, "--yes")).ExitCode);
        Assert.DoesNotContain(first, (await RunAsync("list")).Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Keys));

        await redis.KillAsync();
        var (exitCode, _, error) = await RunAsync("list");
        Assert.Equal(1, exitCode);
        Assert.Contains("Redis at ", error, StringComparison.Ordinal);
    }

    private static string[] Ids(string output) => [.. output.Split(' ', ',', '\n')
        .Where(static word => word.Length == 59 && word[4] == ':')];

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static DateTimeOffset Time(JsonElement element, string name) =>
        element.GetProperty(name).GetDateTimeOffset();

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exitCode = await GatewayCommand.Create().Parse(["keys", .. arguments, "--config", _config])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
        return (exitCode, output.ToString(), error.ToString());
    }
}
