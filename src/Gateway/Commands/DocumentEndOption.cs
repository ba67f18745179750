using System.CommandLine;
using Gateway.Foundation.Configuration;

namespace Gateway.Commands;

/// <summary>
/// Whether the policy files of a folder must end with <c>...</c>: the commands require what a running gateway requires.
/// </summary>
internal static class DocumentEndOption
{
    public static Option<bool> Create() => new("--require-document-end")
    {
        Description = "Refuses files without \"...\" at their end. Also in effect without this option where the "
            + $"configuration (${ConfigOption.Variable}, or the default file) names the folder and sets "
            + "requireDocumentEnd.",
    };

    /// <summary>Whether files of a folder must end with <c>...</c>.</summary>
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
                $"warning: {config.FullName} cannot be read, so its requireDocumentEnd is ignored. Run gateway "
                    + "config check.");
            return false;
        }

        static string Whole(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
    }
}
