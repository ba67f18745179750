using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Registry;

/// <summary>The identifier of a blob upload, as the upstream issued it (a UUID in Distribution).</summary>
public sealed record UploadId
{
    /// <summary>The longest identifier accepted, in characters.</summary>
    public const int MaxLength = 128;

    private UploadId(string value) => Value = value;

    /// <summary>The identifier as text.</summary>
    public string Value { get; }

    /// <summary>Reads an upload id that a client sent. It never throws.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out UploadId? id)
    {
        id = IsValid(text) ? new UploadId(text.ToString()) : null;
        return id is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;

    internal static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > MaxLength || text is "." or "..")
        {
            return false;
        }

        foreach (var c in text)
        {
            if (!(char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or '='))
            {
                return false;
            }
        }

        return true;
    }
}
