using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Tokens;

/// <summary>
/// Base64url as signed texts use it: one text for the same bytes, and no other (RFC 7515, section 2).
/// </summary>
/// <remarks>
/// The decoder of the base library passes over padding, white space and the bits that fill up the last character. Where
/// a token is recognised again by its text, each such spelling would be a new token.
/// </remarks>
public static class CanonicalBase64Url
{
    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>Reads a text.</summary>
    /// <param name="text">Untrusted; the caller has limited its length.</param>
    /// <param name="bytes">What it decodes to.</param>
    /// <returns><see langword="false"/> for anything but the one spelling without padding; it never throws.</returns>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.ContainsAnyExcept(Alphabet))
        {
            return false;
        }

        var buffer = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (Base64Url.DecodeFromChars(text, buffer, out _, out var length) != OperationStatus.Done
            || !text.SequenceEqual(Base64Url.EncodeToString(buffer.AsSpan(0, length))))
        {
            return false;
        }

        Array.Resize(ref buffer, length);
        bytes = buffer;
        return true;
    }
}
