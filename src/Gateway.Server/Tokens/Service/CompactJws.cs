using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using Gateway.Server.Store.Keys;

namespace Gateway.Server.Tokens.Service;

/// <summary>
/// The compact serialization of a JWS (RFC 7515, section 3.1) with exactly one header: <c>typ</c>, <c>alg</c> and
/// <c>kid</c>, as this class writes it.
/// </summary>
/// <remarks>
/// The header is under the attacker's control until the signature is verified, so it is not parsed as JSON at all: it
/// is compared with the one text that a known key gives. Anything else that a header can hold to choose a key or an
/// algorithm (<c>jwk</c>, <c>x5c</c>, <c>jku</c>, <c>crit</c>, <c>b64</c>, members given twice) makes it another text.
/// </remarks>
internal static class CompactJws
{
    /// <summary>The longest token that is read, in characters.</summary>
    public const int MaxLength = 16 * 1024;

    // {"typ":"JWT","alg":"ES256","kid":"…59 characters…"}
    private const int LongestHeader = 128;

    // RSA with 8192 bits.
    private const int LongestSignature = 1024;

    private static readonly SearchValues<byte> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."u8);

    // A key's header, encoded, with the dot behind it.
    private static readonly ConditionalWeakTable<SigningKey, byte[]> Headers = [];

    /// <summary>Signs a payload.</summary>
    public static string Sign(SigningKey key, ReadOnlySpan<byte> payload)
    {
        // In one piece of memory: apart from the token itself, the signature is the only thing that is made.
        var header = Headers.GetValue(key, static one => EncodeHeader(one));
        var signedEnd = header.Length + Base64Url.GetEncodedLength(payload.Length);
        var text = ArrayPool<byte>.Shared.Rent(signedEnd + 1 + Base64Url.GetEncodedLength(LongestSignature));
        header.CopyTo(text, 0);
        Base64Url.EncodeToUtf8(payload, text.AsSpan(header.Length));
        var signature = key.Sign(text.AsSpan(0, signedEnd));
        text[signedEnd] = (byte)'.';
        var end = signedEnd + 1 + Base64Url.EncodeToUtf8(signature, text.AsSpan(signedEnd + 1));
        var token = Encoding.ASCII.GetString(text, 0, end);
        ArrayPool<byte>.Shared.Return(text, clearArray: true); // it is a credential
        return token;
    }

    private static byte[] EncodeHeader(SigningKey key) =>
    [
        .. Base64Url.EncodeToUtf8(Encoding.ASCII.GetBytes(
            $$"""{"typ":"JWT","alg":"{{key.Algorithm}}","kid":"{{key.Id}}"}""")),
        (byte)'.',
    ];

    /// <summary>Verifies a token, from the cheap to the expensive. Never throws.</summary>
    /// <param name="token">Untrusted.</param>
    /// <param name="keys">The only keys there are.</param>
    /// <param name="payload">What was signed, not yet parsed.</param>
    /// <param name="key">The key that signed it.</param>
    /// <param name="fault">For the log; it holds nothing of the token.</param>
    public static bool TryVerify(
        ReadOnlySpan<byte> token,
        SigningKeyRing keys,
        [NotNullWhen(true)] out byte[]? payload,
        [NotNullWhen(true)] out SigningKey? key,
        [NotNullWhen(false)] out string? fault)
    {
        (payload, key) = (null, null);
        fault = FindFaultOfForm(token);
        if (fault is not null)
        {
            return false;
        }

        var headerEnd = token.IndexOf((byte)'.');
        var signedEnd = token.LastIndexOf((byte)'.');
        fault = FindKey(token[..headerEnd], keys, out key);
        if (fault is not null)
        {
            return false;
        }

        Span<byte> signature = stackalloc byte[LongestSignature];
        if (!TryDecode(token[(signedEnd + 1)..], ref signature))
        {
            fault = "its signature is not base64url, or too long";
            return false;
        }

        if (!key!.Verify(token[..signedEnd], signature))
        {
            fault = "its signature is wrong";
            return false;
        }

        var decoded = new byte[Base64Url.GetMaxDecodedLength(signedEnd - headerEnd - 1)].AsSpan();
        if (!TryDecode(token[(headerEnd + 1)..signedEnd], ref decoded))
        {
            fault = "its payload is not base64url";
            return false;
        }

        payload = decoded.ToArray();
        return true;
    }

    private static string? FindFaultOfForm(ReadOnlySpan<byte> token)
    {
        var dots = token.Count((byte)'.');
        if (dots == 4)
        {
            return "it has five parts, like an encrypted token (JWE), and none is ever decrypted";
        }

        if (dots != 2 || token[0] == '.' || token[^1] == '.' || token.IndexOf(".."u8) >= 0)
        {
            return "it does not have three parts";
        }

        // Padding, the other base64 alphabet, line breaks: a decoder that skips them gives one token many texts.
        return token.ContainsAnyExcept(Alphabet) ? "it holds a character outside base64url" : null;
    }

    private static string? FindKey(ReadOnlySpan<byte> text, SigningKeyRing keys, out SigningKey? key)
    {
        key = null;
        Span<byte> header = stackalloc byte[LongestHeader];
        if (!TryDecode(text, ref header))
        {
            return "its header is not base64url, or too long";
        }

        if (!TryTake(ref header, "{\"typ\":\"JWT\",\"alg\":\""u8) || !TryTakeWord(ref header, out var algorithm)
            || !TryTake(ref header, ",\"kid\":\""u8) || !TryTakeWord(ref header, out var id)
            || !header.SequenceEqual("}"u8))
        {
            return "its header is not in the form that this gateway writes: typ, alg and kid";
        }

        var known = keys.Find(Encoding.ASCII.GetString(id));
        if (known is null)
        {
            return "its kid names no key of this gateway's";
        }

        // The key decides, never the token: otherwise a public key could serve as an HMAC's secret.
        if (!Ascii.Equals(algorithm, known.Algorithm.ToString()))
        {
            return "its alg is not its key's";
        }

        key = known;
        return null;
    }

    private static bool TryTake(ref Span<byte> text, ReadOnlySpan<byte> expected)
    {
        if (!text.StartsWith(expected))
        {
            return false;
        }

        text = text[expected.Length..];
        return true;
    }

    // Up to the quote. No escape and no control character belongs in a kid or an alg, whatever JSON allows.
    private static bool TryTakeWord(ref Span<byte> text, out ReadOnlySpan<byte> word)
    {
        var quote = text.IndexOf((byte)'"');
        word = quote < 0 ? default : text[..quote];
        text = quote < 0 ? text : text[(quote + 1)..];
        return quote >= 0 && word.IndexOfAnyExceptInRange((byte)'!', (byte)'~') < 0 && !word.Contains((byte)'\\');
    }

    // Refuses what the decoder would skip: bits after the last byte, which no signature covers in the last part.
    private static bool TryDecode(ReadOnlySpan<byte> text, ref Span<byte> bytes)
    {
        var status = Base64Url.DecodeFromUtf8(text, bytes, out var consumed, out var written);
        bytes = bytes[..written];
        return status == OperationStatus.Done && consumed == text.Length;
    }
}
