namespace Gateway.Foundation.Configuration;

/// <summary>
/// What is known of a configuration beside its values: where each key stands, its text, and what is wrong.
/// </summary>
/// <remarks>Keys are written as people read them: <c>tls.certificates[0].key</c>.</remarks>
internal sealed class ConfigurationDocument(string file, ProblemCollector problems)
{
    private readonly Dictionary<string, (SourcePosition Position, string? Text)> _keys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _broken = new(StringComparer.Ordinal);

    /// <summary>Notes where a key's value stands.</summary>
    /// <param name="key">The key.</param>
    /// <param name="position">Where its value begins.</param>
    /// <param name="text">
    /// The value as it may be printed; <see langword="null"/> for secrets, lists and sections.
    /// </param>
    public void Record(string key, SourcePosition position, string? text) => _keys[key] = (position, text);

    /// <summary>Where a key's value stands; for an absent key, where the section around it begins.</summary>
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

    /// <summary>Notes that a key's value could not be read, so that nothing said about it later can be true.</summary>
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

    /// <summary>Notes a problem with a key, at its place and with the value found there.</summary>
    public void Report(string key, string what, string fix) =>
        problems.Add(SourceOf(key), $"{key}: {what}", TextOf(key), fix);

    /// <summary>Notes a problem at a place of its own, such as that of a key that is not known.</summary>
    public void Report(SourcePosition position, string what, string fix) => problems.Add(position, what, null, fix);
}
