using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Host.Configuration;

/// <summary>Reads <c>gateway.yaml</c>, lays the environment over it, and checks the whole.</summary>
internal static class ConfigurationLoader
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>Reads and validates a configuration.</summary>
    /// <param name="path">The file. What is relative in it, or in the environment, is relative to its folder.</param>
    /// <param name="environment">
    /// The variables of the process; <see cref="ProcessEnvironment.Read"/> gives them.
    /// </param>
    /// <param name="locate">Where a secret's file lies while it is not in its place, as during a restore.</param>
    /// <returns>
    /// Settings that hold every rule that can be checked without opening the files they name (secrets are read).
    /// </returns>
    /// <exception cref="ProblemException">
    /// Something is wrong; it carries every problem, in the order of the file.
    /// </exception>
    public static GatewayOptions Load(
        string path, IReadOnlyDictionary<string, string> environment, Func<string, string>? locate = null)
    {
        var problems = new ProblemCollector();
        ForeignEnvironment.Check(environment, problems);
        var options = ReadFile(path, problems) is { } text ? Read(text, path, environment, problems, locate) : null;
        problems.ThrowIfAny();
        return options!;
    }

    private static string? ReadFile(string path, ProblemCollector problems)
    {
        var text = SettingFile.TryRead(path, MaxBytes, out var fault);
        if (text is null)
        {
            problems.Add(
                SourcePosition.OfFile(path), fault.Text, null, "Name the configuration file with --config FILE.",
                fault.Kind);
        }

        return text;
    }

    private static GatewayOptions? Read(
        string text,
        string path,
        IReadOnlyDictionary<string, string> environment,
        ProblemCollector problems,
        Func<string, string>? locate)
    {
        var tree = YamlReader.Read(text, path, problems);
        if (tree is null)
        {
            return null;
        }

        if (tree is YamlMapping mapping)
        {
            EnvironmentOverrides.Apply(GatewayOptions.Model, mapping, environment, problems);
        }

        var document = new ConfigurationDocument(path, problems);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var binder = new OptionsBinder(document, folder, GatewayOptions.Model, locate);
        var options = (GatewayOptions)binder.Bind(tree);
        options.Paths = binder.Paths;
        options.File = Path.GetFullPath(path);
        GatewayOptionsValidator.Validate(options, new SettingScope(document, ""));
        return options;
    }
}
