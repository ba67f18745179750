using Gateway.Foundation.Configuration;

namespace Gateway.Foundation.Yaml;

/// <summary>A value of a YAML file that knows its position.</summary>
internal abstract class YamlNode(SourcePosition position)
{
    /// <summary>Where the value begins.</summary>
    public SourcePosition Position { get; } = position;

    /// <summary>Whether it is YAML's null: nothing, <c>~</c> or <c>null</c>.</summary>
    public virtual bool IsNull => false;

    /// <summary>Its name for people: <c>a list</c>.</summary>
    public abstract string Kind { get; }
}

/// <summary>
/// One value. All are text here; the reader of a setting knows its type, so <c>no</c> never turns into false.
/// </summary>
/// <param name="position">Where it begins.</param>
/// <param name="text">The text, unquoted.</param>
/// <param name="isPlain">Whether it is written without quotes.</param>
internal sealed class YamlScalar(SourcePosition position, string text, bool isPlain) : YamlNode(position)
{
    public string Text { get; } = text;

    public override bool IsNull => isPlain && Text is "" or "~" or "null" or "Null" or "NULL";

    public override string Kind => "one value";
}

/// <summary>A list.</summary>
internal sealed class YamlList(SourcePosition position) : YamlNode(position)
{
    public List<YamlNode> Items { get; } = [];

    public override string Kind => "a list";
}

/// <summary>Keys with values, in the file's order; no key twice.</summary>
internal sealed class YamlMapping(SourcePosition position) : YamlNode(position)
{
    public List<YamlEntry> Entries { get; } = [];

    public override string Kind => "a section";

    /// <summary>The value of a key, or <see langword="null"/> if the key is absent.</summary>
    public YamlNode? Find(string key)
    {
        foreach (var entry in Entries)
        {
            if (string.Equals(entry.Key, key, StringComparison.Ordinal))
            {
                return entry.Value;
            }
        }

        return null;
    }
}

/// <summary>A key with its value.</summary>
internal sealed record YamlEntry(string Key, SourcePosition Position, YamlNode Value);

/// <summary>
/// A placeholder for a value that was refused and reported already; readers report nothing more about it.
/// </summary>
internal sealed class YamlRefused(SourcePosition position) : YamlNode(position)
{
    public override string Kind => "unreadable";
}
