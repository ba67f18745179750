namespace Gateway.Authorization;

/// <summary>A value in a policy file, and where it stands.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
internal abstract record YamlValue(long Line, long Column)
{
    /// <summary>What it is, in messages.</summary>
    public abstract string Kind { get; }
}

/// <summary>
/// A text, number, boolean or nothing: YAML's types are not used, since <c>no</c> or <c>1.10</c> may well be names.
/// </summary>
internal sealed record YamlText(string Text, bool IsQuoted, long Line, long Column) : YamlValue(Line, Column)
{
    public bool IsNothing => !IsQuoted && Text is "" or "~" or "null";

    public override string Kind => IsNothing ? "nothing" : "a text";
}

internal sealed record YamlList(IReadOnlyList<YamlValue> Items, long Line, long Column) : YamlValue(Line, Column)
{
    public override string Kind => "a list";
}

internal sealed record YamlMap(IReadOnlyList<KeyValuePair<YamlText, YamlValue>> Entries, long Line, long Column)
    : YamlValue(Line, Column)
{
    public override string Kind => "a map";
}
