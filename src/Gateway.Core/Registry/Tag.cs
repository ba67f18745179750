using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Registry;

/// <summary>A tag, such as <c>1.4</c> or <c>latest</c>: at most 128 ASCII characters.</summary>
public sealed record Tag
{
    /// <summary>The longest tag accepted, in characters.</summary>
    public const int MaxLength = 128;

    private Tag(string value) => Value = value;

    /// <summary>The tag as text.</summary>
    public string Value { get; }

    /// <summary>Reads a tag that a client sent. It never throws.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out Tag? tag)
    {
        tag = IsValid(text) ? new Tag(text.ToString()) : null;
        return tag is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;

    internal static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > MaxLength || text[0] is '.' or '-')
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!(char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-'))
            {
                return false;
            }
        }

        return true;
    }
}
