namespace Gateway.Core.Authorization;

/// <summary>
/// A text in which <c>*</c> matches any run of characters, including none. Anchored and case-sensitive.
/// </summary>
/// <remarks>
/// Matching costs at most the text's length times the pattern's; there is no backtracking to blow up.
/// </remarks>
public sealed class Glob
{
    private readonly string[] _pieces;

    /// <summary>Takes any text; every <c>*</c> in it is a wildcard.</summary>
    public Glob(string text)
    {
        Text = text;
        _pieces = text.Split('*');
    }

    /// <summary>The pattern as written.</summary>
    public string Text { get; }

    /// <summary>Whether there is no wildcard, so that only the text itself matches.</summary>
    public bool IsExact => _pieces.Length == 1;

    /// <summary>What every matching text starts with.</summary>
    internal string Prefix => _pieces[0];

    /// <summary>What every matching text ends with.</summary>
    internal string Suffix => _pieces[^1];

    /// <summary>Whether the whole text matches.</summary>
    public bool Matches(ReadOnlySpan<char> text)
    {
        if (IsExact)
        {
            return text.SequenceEqual(Prefix);
        }

        if (text.Length < Prefix.Length + Suffix.Length
            || !text.StartsWith(Prefix, StringComparison.Ordinal)
            || !text.EndsWith(Suffix, StringComparison.Ordinal))
        {
            return false;
        }

        var rest = text[Prefix.Length..^Suffix.Length];
        foreach (var piece in _pieces.AsSpan(1, _pieces.Length - 2))
        {
            // The leftmost place is always good enough: it leaves the most for the pieces that follow.
            var at = rest.IndexOf(piece, StringComparison.Ordinal);
            if (at < 0)
            {
                return false;
            }

            rest = rest[(at + piece.Length)..];
        }

        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
