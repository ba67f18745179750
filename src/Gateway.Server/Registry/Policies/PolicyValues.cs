using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Registry.Policies;

/// <summary>
/// What readers of policy and test files ask of values; what is wrong is reported, and nothing returned.
/// </summary>
/// <remarks>What <see cref="YamlReader"/> refused is reported already: nothing is returned, and no more said.</remarks>
internal static class PolicyValues
{
    private const int MaxItems = 1_000;

    /// <summary>What a value is, in messages.</summary>
    public static string KindOf(YamlNode value) => value switch
    {
        { IsNull: true } => "nothing",
        YamlScalar => "a text",
        YamlMapping => "a map",
        _ => value.Kind,
    };

    /// <summary>Reports keys that are not known.</summary>
    public static void CheckKeys(this ProblemCollector problems, YamlMapping map, params string[] known)
    {
        foreach (var entry in map.Entries)
        {
            if (Array.IndexOf(known, entry.Key) < 0)
            {
                problems.Add(entry.Position, "unknown key", entry.Key, NearestName.Hint(entry.Key, known));
            }
        }
    }

    public static YamlMapping? Map(this ProblemCollector problems, YamlNode value, string key, string fix)
    {
        if (value is not YamlMapping)
        {
            problems.AddKind(value, key, "a map", fix);
        }

        return value as YamlMapping;
    }

    public static YamlList? List(this ProblemCollector problems, YamlNode value, string key, string fix)
    {
        if (value is not YamlList)
        {
            problems.AddKind(value, key, "a list", fix);
        }

        return value as YamlList;
    }

    /// <summary>A text that is not empty and has no control characters.</summary>
    public static string? Text(this ProblemCollector problems, YamlNode value, string key, string fix)
    {
        if (value is YamlScalar { IsNull: false, Text.Length: > 0 } scalar && !HasControls(scalar.Text))
        {
            return scalar.Text;
        }

        problems.AddKind(value, key, "a text", fix);
        return null;
    }

    /// <summary>
    /// One text or a list of texts; never an empty list, as nobody can tell whether that means all or none.
    /// </summary>
    public static IEnumerable<(SourcePosition At, string Text)> Texts(
        this ProblemCollector problems, YamlNode value, string key, string fix)
    {
        if (value is YamlList { Items: [] or { Count: > MaxItems } } list)
        {
            problems.Add(
                list.Position,
                $"{key}: {list.Items.Count} entries",
                null,
                list.Items.Count == 0
                    ? $"Remove the key, or list at least one entry. {fix}"
                    : $"Use at most {MaxItems}, or a group or a wider pattern.");
            yield break;
        }

        foreach (var item in value is YamlList { Items: var items } ? items : [value])
        {
            if (problems.Text(item, key, fix) is { } text)
            {
                yield return (item.Position, text);
            }
        }
    }

    private static bool HasControls(string text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c))
            {
                return true;
            }
        }

        return false;
    }

    private static void AddKind(
        this ProblemCollector problems, YamlNode value, string key, string wanted, string fix)
    {
        if (value is not YamlRefused)
        {
            problems.Add(
                value.Position,
                $"{key}: {KindOf(value)} instead of {wanted}",
                (value as YamlScalar)?.Text,
                fix);
        }
    }
}
