using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Client.Doctor.Explain;

/// <summary>Reads <c>messages.yaml</c>, which is embedded in the program.</summary>
internal static class KnownProblemReader
{
    private const string ResourceName = "messages.yaml";

    /// <summary>Reads the embedded file.</summary>
    /// <exception cref="ProblemException">The file is invalid, which a test would have found.</exception>
    public static IReadOnlyList<KnownProblem> ReadEmbedded()
    {
        using var stream = typeof(KnownProblemReader).Assembly.GetManifestResourceStream(ResourceName)!;
        using var reader = new StreamReader(stream);
        return Read(reader.ReadToEnd());
    }

    /// <summary>Reads a list of problems.</summary>
    /// <exception cref="ProblemException">Something in it is wrong; every place is named.</exception>
    public static IReadOnlyList<KnownProblem> Read(string text)
    {
        var problems = new ProblemCollector();
        var root = YamlReader.Read(text, ResourceName, problems, showsValues: true);
        problems.ThrowIfAny();
        var result = new List<KnownProblem>();
        foreach (var entry in Items(root, problems))
        {
            if (entry is YamlMapping mapping && ReadProblem(mapping, problems) is { } problem)
            {
                result.Add(problem);
            }
        }

        problems.ThrowIfAny();
        return result;
    }

    private static KnownProblem? ReadProblem(YamlMapping mapping, ProblemCollector problems)
    {
        var patterns = new List<KnownPattern>();
        foreach (var item in Items(mapping.Find("patterns"), problems))
        {
            if (item is YamlMapping pattern && ReadPattern(pattern, problems) is { } known)
            {
                patterns.Add(known);
            }
        }

        var kind = mapping.Find("kind") is YamlScalar { Text: var word } ? word : nameof(ProblemKind.Cause);
        if (!Enum.TryParse<ProblemKind>(kind, ignoreCase: true, out var parsed))
        {
            problems.Add(mapping.Position, "this is not a kind", kind, "Write cause, symptom or envelope.");
        }

        return Word(mapping, "id", problems) is { } id && Word(mapping, "problem", problems) is { } problem
            ? new KnownProblem(
                id,
                parsed,
                problem,
                Words(mapping, "causes", problems),
                Words(mapping, "next", problems),
                Words(mapping, "checks", problems),
                patterns)
            : null;
    }

    private static KnownPattern? ReadPattern(YamlMapping mapping, ProblemCollector problems)
    {
        if (Word(mapping, "text", problems) is not { } text
            || Word(mapping, "client", problems) is not { } client
            || Word(mapping, "source", problems) is not { } source)
        {
            return null;
        }

        try
        {
            return new KnownPattern(MessageTemplate.Parse(text), client, source);
        }
        catch (FormatException exception)
        {
            problems.Add(mapping.Position, exception.Message, null, "Correct the template.");
            return null;
        }
    }

    private static string[] Words(YamlMapping mapping, string key, ProblemCollector problems) =>
        mapping.Find(key) is { } list
            ? [.. Items(list, problems).OfType<YamlScalar>().Select(static item => item.Text)]
            : [];

    private static string? Word(YamlMapping mapping, string key, ProblemCollector problems)
    {
        if (mapping.Find(key) is YamlScalar { IsNull: false } scalar)
        {
            return scalar.Text;
        }

        problems.Add(mapping.Position, $"the key \"{key}\" is missing", null, "Add it.");
        return null;
    }

    private static List<YamlNode> Items(YamlNode? node, ProblemCollector problems)
    {
        if (node is YamlList list)
        {
            return list.Items;
        }

        problems.Add(node?.Position ?? SourcePosition.OfFile(ResourceName), "a list is expected here", node?.Kind,
            "Write a list.");
        return [];
    }
}
