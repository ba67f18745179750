using System.CommandLine;
using Gateway.Configuration;

namespace Gateway.Commands;

/// <summary>The <c>--config</c> option that the commands share, and what they do with the file.</summary>
internal static class ConfigOption
{
    public static Option<FileInfo> Create() => new("--config", "-c")
    {
        Description = "The configuration file; everything relative in it is relative to its folder.",
        DefaultValueFactory = static _ => new FileInfo("config/gateway.yaml"),
    };

    /// <exception cref="ProblemException">The configuration is wrong.</exception>
    public static GatewayOptions Load(FileInfo file) =>
        ConfigurationLoader.Load(file.FullName, ConfigurationLoader.ProcessEnvironment());

    /// <summary>Prints one line a problem.</summary>
    /// <returns>The exit code.</returns>
    public static int Report(ProblemException exception)
    {
        foreach (var problem in exception.Problems)
        {
            Console.Error.WriteLine(problem);
        }

        return GatewayCommand.ConfigurationProblem;
    }
}
