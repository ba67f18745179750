namespace Gateway.Foundation.Configuration;

/// <summary>
/// What is known about a configuration besides its values: the position of each key, its text, and what is wrong.
/// </summary>
/// <remarks>Keys are written as people read them: <c>tls.certificates[0].key</c>.</remarks>
internal sealed class ConfigurationDocument(string file, ProblemCollector problems)
{
    private readonly Dictionary<string, (SourcePosition Position, string? Text)> _keys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _broken = new(StringComparer.Ordinal);

    /// <summary>Notes the position of a key's value.</summary>
    /// <param name="key">The key.</param>
    /// <param name="position">Where its value begins.</param>
    /// <param name="text">
    /// The value as it may be printed; <see langword="null"/> for secrets, lists and sections.
    /// </param>
    public void Record(string key, SourcePosition position, string? text) => _keys[key] = (position, text);

    /// <summary>The position of a key's value; for an absent key, that of the section around it.</summary>
    public SourcePosition SourceOf(string key)
    {
        while (true)
        {
            if (_keys.TryGetValue(key, out var entry))
            {
                return entry.Position;
            }

            if (key.Length == 0)
            {
                return SourcePosition.OfFile(file);
            }

            key = key[..Math.Max(0, key.LastIndexOfAny(['.', '[']))];
        }
    }

    /// <summary>A key's value as it may be printed, or <see langword="null"/>.</summary>
    public string? TextOf(string key) => _keys.GetValueOrDefault(key).Text;

    /// <summary>Notes that a key's value could not be read, so that later problems with it are not reported.</summary>
    public void MarkBroken(string key) => _broken.Add(key);

    /// <summary>Whether a key, or a section or list around it, could not be read.</summary>
    public bool IsBroken(string key)
    {
        while (!_broken.Contains(key))
        {
            if (key.Length == 0)
            {
                return false;
            }

            key = key[..Math.Max(0, key.LastIndexOfAny(['.', '[']))];
        }

        return true;
    }

    /// <summary>Notes a problem with a key, with its position and value.</summary>
    public void Report(string key, string what, string fix, ProblemKind kind = ProblemKind.Other) =>
        problems.Add(SourceOf(key), $"{key}: {what}", TextOf(key), fix, kind);

    /// <summary>Notes a problem at another position, such as that of an unknown key.</summary>
    public void Report(SourcePosition position, string what, string fix) => problems.Add(position, what, null, fix);
}
