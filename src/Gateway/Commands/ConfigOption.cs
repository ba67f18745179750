using System.CommandLine;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;

namespace Gateway.Commands;

/// <summary>The <c>--config</c> option that the commands share, and how they use the file.</summary>
internal static class ConfigOption
{
    /// <summary>The environment variable that names the file, for commands beside a service whose file it is.</summary>
    public const string Variable = "GATEWAY_CONFIG";

    private const string InTheRepository = "config/gateway.yaml";
    private const string OfTheMachine = "/etc/gateway/gateway.yaml";

    public static Option<FileInfo> Create() =>
        Create("The configuration file; relative paths in it are relative to its folder.");

    /// <summary>The option, for a command that describes the file in its own words.</summary>
    public static Option<FileInfo> Create(string description) => new("--config", "-c")
    {
        Description = $"{description} Default: ${Variable}, {InTheRepository} or {OfTheMachine}.",
        DefaultValueFactory = static _ => new FileInfo(DefaultPath()),
    };

    /// <summary>
    /// The file to use where none is named: <c>$GATEWAY_CONFIG</c>, which the image sets for its service and thus for
    /// what is run beside it; else the first that is there.
    /// </summary>
    public static string DefaultPath() => DefaultPath(Environment.GetEnvironmentVariable(Variable), File.Exists);

    /// <summary>The file that the environment names, for a command that does not need one.</summary>
    public static FileInfo? Named() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? new FileInfo(path) : null;

    /// <summary>What <see cref="DefaultPath()"/> gives, for an environment and a file system.</summary>
    internal static string DefaultPath(string? variable, Func<string, bool> exists) =>
        variable is { Length: > 0 } ? variable
        : !exists(InTheRepository) && exists(OfTheMachine) ? OfTheMachine
        : InTheRepository;

    /// <exception cref="ProblemException">The configuration is wrong.</exception>
    public static GatewayOptions Load(FileInfo file) =>
        ConfigurationLoader.Load(file.FullName, ProcessEnvironment.Read());

    /// <summary>Prints one line for each problem.</summary>
    /// <returns>The exit code.</returns>
    public static int Report(ProblemException exception) => ProblemReport.Write(Console.Error, exception.Problems);
}
