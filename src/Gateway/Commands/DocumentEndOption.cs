using System.CommandLine;
using Gateway.Foundation.Configuration;

namespace Gateway.Commands;

/// <summary>Whether the policy files of a folder must end with <c>...</c>: what a running gateway asks, so do the commands.</summary>
internal static class DocumentEndOption
{
    public static Option<bool> Create() => new("--require-document-end")
    {
        Description = "Refuses files without \"...\" at their end. Heeded without this where the configuration "
            + $"(${ConfigOption.Variable}, or the usual place) names the folder and sets requireDocumentEnd.",
    };

    /// <summary>What holds for a folder.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="option">The option in it.</param>
    /// <param name="folder">The folder.</param>
    public static bool IsRequired(ParseResult result, Option<bool> option, string folder)
    {
        if (result.GetValue(option))
        {
            return true;
        }

        var config = new FileInfo(ConfigOption.DefaultPath());
        if (!config.Exists)
        {
            return false;
        }

        try
        {
            var options = ConfigOption.Load(config);
            return options.RequireDocumentEnd && Whole(options.Policies) == Whole(folder);
        }
        catch (ProblemException)
        {
            result.InvocationConfiguration.Error.WriteLine(
                $"warning: {config.FullName} cannot be used, so its requireDocumentEnd is not heeded: gateway config check.");
            return false;
        }

        static string Whole(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
    }
}
