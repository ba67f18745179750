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
    public static int Report(ProblemException exception) => Report(Console.Error, exception.Problems);

    /// <summary>Prints one line a problem.</summary>
    /// <param name="error">Where to.</param>
    /// <param name="problems">What is wrong.</param>
    /// <param name="exitCode">The exit code, which is given back.</param>
    public static int Report(
        TextWriter error, IEnumerable<Problem> problems, int exitCode = GatewayCommand.ConfigurationProblem)
    {
        foreach (var problem in problems)
        {
            error.WriteLine(problem);
        }

        return exitCode;
    }
}
