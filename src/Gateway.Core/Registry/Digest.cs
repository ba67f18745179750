using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Registry;

/// <summary>A content digest, such as <c>sha256:…</c> with 64 lower-case hexadecimal digits.</summary>
/// <remarks>
/// Only the registered algorithms (sha256, sha384, sha512) in their exact length. Distribution treats a digest-shaped
/// text that fails its validation as a tag, so nothing looser may pass.
/// </remarks>
public sealed record Digest
{
    /// <summary>The longest digest, in characters: <c>sha512:</c> and 128 digits.</summary>
    public const int MaxLength = 135;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    private Digest(string value) => Value = value;

    /// <summary>Algorithm, colon and digits.</summary>
    public string Value { get; }

    /// <summary>Reads a digest that a client sent. It never throws.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out Digest? digest)
    {
        digest = IsValid(text) ? new Digest(text.ToString()) : null;
        return digest is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;

    internal static bool IsValid(ReadOnlySpan<char> text)
    {
        var colon = text.IndexOf(':');
        if (colon < 0)
        {
            return false;
        }

        var digits = text[..colon] switch
        {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => -1,
        };
        var hex = text[(colon + 1)..];
        return hex.Length == digits && !hex.ContainsAnyExcept(LowerHex);
    }
}
