using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Client.Doctor.Explain;

/// <summary>Reads <c>messages.yaml</c>, which is embedded in the program.</summary>
internal static class KnownProblemReader
{
    private const string ResourceName = "messages.yaml";

    /// <summary>Reads the embedded file.</summary>
    /// <exception cref="ProblemException">The file is invalid, which a test would have found.</exception>
    public static IReadOnlyList<KnownProblem> ReadEmbedded() => Read(EmbeddedYaml.Text(ResourceName));

    /// <summary>Reads a list of problems.</summary>
    /// <exception cref="ProblemException">Something in it is wrong; every place is named.</exception>
    public static IReadOnlyList<KnownProblem> Read(string text) =>
        EmbeddedYaml.Read(text, ResourceName, ReadProblem);

    private static KnownProblem? ReadProblem(YamlMapping mapping, ProblemCollector problems)
    {
        var patterns = new List<KnownPattern>();
        foreach (var item in EmbeddedYaml.Items(mapping.Find("patterns"), mapping.Position, problems))
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

        return mapping.Word("id", problems) is { } id && mapping.Word("problem", problems) is { } problem
            ? new KnownProblem(
                id,
                parsed,
                problem,
                mapping.Words("causes", problems),
                mapping.Words("next", problems),
                mapping.Words("checks", problems),
                patterns)
            : null;
    }

    private static KnownPattern? ReadPattern(YamlMapping mapping, ProblemCollector problems)
    {
        if (mapping.Word("text", problems) is not { } text
            || mapping.Word("client", problems) is not { } client
            || mapping.Word("source", problems) is not { } source)
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
}
