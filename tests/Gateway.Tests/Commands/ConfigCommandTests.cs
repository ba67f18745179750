using System.CommandLine;
using Gateway.Commands;
using Gateway.Tests.Server.Host.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Commands;

public sealed class ConfigCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Check_WrongFile_PrintsOneLineAProblemAndExits78()
    {
        var file = _folder.Write("gateway.yaml", ConfigurationSamples.Minimal + "colour: red\nlog: { level: loud }\n");

        var (exitCode, output, error) = await RunAsync("config", "check", file);

        Assert.Equal(78, exitCode);
        Assert.Equal("", output);
        Assert.Equal(
            $"{file}:6:1: colour: unknown key. Known at the top level: publicUrl, hosts, trustedProxies, listen, tls, "
            + "registries, authentication, policies, testPolicies, requireDocumentEnd, tokens, state, redis, limits, "
            + "contentCache, cors, telemetry, shutdown, audit, log.\n"
            + $"{file}:7:15: log.level: is not one of its values (found \"loud\"). Write one of: trace, debug, "
            + "information, warning, error, critical, none.\n",
            error);
    }

    [Fact]
    public async Task Check_MissingFile_Exits78()
    {
        var (exitCode, _, error) = await RunAsync("config", "check", "--config", "/nowhere/gateway.yaml");

        Assert.Equal(78, exitCode);
        Assert.Equal("/nowhere/gateway.yaml: no such file. Name the configuration file with --config FILE.\n", error);
    }

    [Fact]
    public async Task Check_FileNamedTwice_IsAUsageError()
    {
        var (exitCode, _, error) = await RunAsync("config", "check", "a.yaml", "--config", "b.yaml");

        Assert.Equal(1, exitCode);
        Assert.Contains("Name the configuration file once", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("schema", "config/gateway.schema.json")]
    [InlineData("reference", "docs/configuration.md")]
    public async Task Writer_Output_IsTheCommittedFile(string command, string file)
    {
        var (exitCode, output, error) = await RunAsync("config", command);

        Assert.Equal(0, exitCode);
        Assert.Equal("", error);
        Assert.Equal(File.ReadAllText(RepositoryRoot.PathOf(file.Split('/'))), output);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exitCode = await GatewayCommand.Create().Parse(arguments)
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
        return (exitCode, output.ToString(), error.ToString());
    }
}
