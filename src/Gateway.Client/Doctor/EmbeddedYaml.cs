using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Client.Doctor;

/// <summary>Reads the lists embedded in the program, without reflection: the native program has none.</summary>
internal static class EmbeddedYaml
{
    /// <summary>The text of an embedded file.</summary>
    public static string Text(string name)
    {
        using var stream = typeof(EmbeddedYaml).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Reads a list of mappings.</summary>
    /// <param name="text">The file's text.</param>
    /// <param name="name">Its name, for problems.</param>
    /// <param name="read">Reads one entry; <see langword="null"/> where it noted a problem.</param>
    /// <exception cref="ProblemException">Something in it is wrong; every place is named.</exception>
    public static List<T> Read<T>(string text, string name, Func<YamlMapping, ProblemCollector, T?> read)
        where T : class
    {
        var problems = new ProblemCollector();
        var root = YamlReader.Read(text, name, problems, showsValues: true);
        problems.ThrowIfAny();
        var result = new List<T>();
        foreach (var entry in Items(root, SourcePosition.OfFile(name), problems))
        {
            if (entry is YamlMapping mapping && read(mapping, problems) is { } value)
            {
                result.Add(value);
            }
        }

        problems.ThrowIfAny();
        return result;
    }

    /// <summary>The texts of a list; none where the key is missing.</summary>
    public static List<string> Words(this YamlMapping mapping, string key, ProblemCollector problems) =>
        mapping.Find(key) is { } list
            ? [.. Items(list, mapping.Position, problems).OfType<YamlScalar>().Select(static item => item.Text)]
            : [];

    /// <summary>The text of a key; <see langword="null"/>, and a problem, where it is missing.</summary>
    public static string? Word(this YamlMapping mapping, string key, ProblemCollector problems)
    {
        if (mapping.Find(key) is YamlScalar { IsNull: false } scalar)
        {
            return scalar.Text;
        }

        problems.Add(mapping.Position, $"the key \"{key}\" is missing", null, "Add it.");
        return null;
    }

    /// <summary>The items of a list; none, and a problem, where it is none.</summary>
    public static List<YamlNode> Items(YamlNode? node, SourcePosition parent, ProblemCollector problems)
    {
        if (node is YamlList list)
        {
            return list.Items;
        }

        problems.Add(node?.Position ?? parent, "a list is expected here", node?.Kind, "Write a list.");
        return [];
    }
}
