using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Registry.Policies;

/// <summary>Reads one file of the policy folder as far as its top level.</summary>
internal static class PolicyFile
{
    private const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>Reads a file; what is wrong is added to <paramref name="problems"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="requiresEnd">Whether it must end with <c>...</c>.</param>
    /// <param name="problems">Told of everything that is wrong.</param>
    /// <returns>The top level, without keys for an empty file; <see langword="null"/> where there is none.</returns>
    public static YamlMapping? Read(string path, bool requiresEnd, ProblemCollector problems) =>
        Open(path, SettingFile.Decode, problems) is { } text ? Parse(text, path, requiresEnd, problems) : null;

    /// <summary>Reads a file's bytes; why they cannot be read is added to <paramref name="problems"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="read">Makes something of them.</param>
    /// <param name="problems">Told where there is nothing to read.</param>
    public static T? Open<T>(string path, Func<ReadOnlySpan<byte>, T> read, ProblemCollector problems)
        where T : class
    {
        if (SettingFile.TryRead(path, MaxBytes, read, out var fault) is { } value)
        {
            return value;
        }

        problems.Add(
            SourcePosition.OfFile(path),
            fault.Text,
            null,
            "Make it UTF-8 text of at most 4 MiB that the gateway's account can read; split a larger file.");
        return null;
    }

    /// <summary>Reads a file's text; the parameters are those of <see cref="Read"/>.</summary>
    /// <inheritdoc cref="Read"/>
    public static YamlMapping? Parse(string text, string path, bool requiresEnd, ProblemCollector problems)
    {
        // Policies hold no secrets, so those who correct them are shown what was found.
        var root = YamlReader.Read(text, path, problems, showsValues: true, requiresEnd);
        if (root is not (null or YamlMapping or YamlRefused))
        {
            problems.Add(
                root.Position,
                $"the file is {PolicyValues.KindOf(root)}",
                null,
                "Begin it with a key, such as \"rules:\".");
        }

        return root as YamlMapping;
    }
}
