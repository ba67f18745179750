namespace Gateway.Authorization;

/// <summary>
/// What readers of policy and test files ask of values; what is wrong is reported, and nothing returned.
/// </summary>
internal static class YamlFileExtensions
{
    private const int MaxItems = 1_000;

    /// <summary>The values by key. Repeated and unknown keys are reported.</summary>
    public static Dictionary<string, YamlValue> Keys(this YamlFile file, YamlMap map, params string[] known)
    {
        var values = file.Entries(map);
        foreach (var (key, _) in map.Entries.Where(entry => !known.Contains(entry.Key.Text)))
        {
            file.Report(key, "unknown key", key.Text, NearestName.Hint(key.Text, known));
        }

        return values;
    }

    /// <summary>The values by key, whatever the keys are. Repeated keys are reported.</summary>
    public static Dictionary<string, YamlValue> Entries(this YamlFile file, YamlMap map)
    {
        var values = new Dictionary<string, YamlValue>(StringComparer.Ordinal);
        foreach (var (key, value) in map.Entries)
        {
            if (!values.TryAdd(key.Text, value))
            {
                file.Report(key, "repeated key", key.Text, "Put both values under one key.");
            }
        }

        return values;
    }

    public static YamlMap? Map(this YamlFile file, YamlValue value, string key, string cure)
    {
        if (value is not YamlMap)
        {
            file.Report(value, $"{key}: {value.Kind} where a map belongs", (value as YamlText)?.Text, cure);
        }

        return value as YamlMap;
    }

    /// <summary>A text that is not empty and has no control characters.</summary>
    public static string? Text(this YamlFile file, YamlValue value, string key, string cure)
    {
        if (value is YamlText { IsNothing: false, Text.Length: > 0 } text && !text.Text.Any(char.IsControl))
        {
            return text.Text;
        }

        file.Report(value, $"{key}: {value.Kind} where a text belongs", (value as YamlText)?.Text, cure);
        return null;
    }

    /// <summary>
    /// One text or a list of texts; never an empty list, as nobody can tell whether that means all or none.
    /// </summary>
    public static IEnumerable<(YamlValue At, string Text)> Texts(
        this YamlFile file, YamlValue value, string key, string cure)
    {
        if (value is YamlList { Items: [] or { Count: > MaxItems } } list)
        {
            file.Report(
                list,
                $"{key}: {list.Items.Count} entries",
                null,
                list.Items.Count == 0
                    ? $"Remove the key or name something. {cure}"
                    : $"At most {MaxItems}: use a group or a wider pattern.");
            yield break;
        }

        foreach (var item in value is YamlList { Items: var items } ? items : [value])
        {
            if (file.Text(item, key, cure) is { } text)
            {
                yield return (item, text);
            }
        }
    }
}
