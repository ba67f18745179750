using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Gateway.Core.Tokens;

/// <summary>
/// The parts of a JWS in compact form (RFC 7515, section 7.1), taken apart strictly and not verified.
/// </summary>
/// <param name="Algorithm"><c>alg</c>.</param>
/// <param name="KeyId"><c>kid</c>; <see langword="null"/> where there is none.</param>
/// <param name="Type"><c>typ</c>; <see langword="null"/> where there is none.</param>
/// <param name="Claims">The payload, an object without repeated members.</param>
/// <param name="Signature">The signature, decoded.</param>
public sealed record JwtParts(string Algorithm, string? KeyId, string? Type, JsonElement Claims, byte[] Signature)
{
    /// <summary>The longest token read, in characters.</summary>
    public const int MaxLength = 16 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    private static readonly SearchValues<char> AnySpelling =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=.");

    /// <summary>
    /// Whether a text has the form of a signed JWT, so that it is no password; also of one that <see cref="Read"/>
    /// refuses.
    /// </summary>
    public static bool HasForm(string text) =>
        text.StartsWith("eyJ", StringComparison.Ordinal) // {"
        && text.AsSpan().Count('.') == 2
        && !text.AsSpan().ContainsAnyExcept(AnySpelling)
        && (!CanonicalBase64Url.TryDecode(text.AsSpan(0, text.IndexOf('.', StringComparison.Ordinal)), out var header)
            || Parse(header) is not null);

    /// <summary>Takes a token apart.</summary>
    /// <param name="token">Untrusted.</param>
    /// <param name="fault">What is wrong with it.</param>
    /// <returns>
    /// <see langword="null"/> for anything but three parts of base64url, each in its one spelling; an encrypted token
    /// (five parts) never gets further, nor one whose header asks for something that is not understood here
    /// (<c>crit</c>; RFC 7515, section 4.1.11).
    /// </returns>
    public static JwtParts? Read(string token, out string fault)
    {
        fault = "it is not a signed JWT";
        if (token.Length > MaxLength)
        {
            fault = string.Create(
                CultureInfo.InvariantCulture,
                $"it is too long: it has {token.Length} characters, and the most is {MaxLength}");
            return null;
        }

        var parts = token.Split('.');
        if (parts.Length != 3 || parts[2].Length == 0)
        {
            return null;
        }

        if (!CanonicalBase64Url.TryDecode(parts[0], out var headerBytes)
            || !CanonicalBase64Url.TryDecode(parts[1], out var claimBytes)
            || !CanonicalBase64Url.TryDecode(parts[2], out var signature))
        {
            fault = "it is not in base64url without padding, as its issuer wrote it";
            return null;
        }

        if (Parse(headerBytes) is not { } header || Parse(claimBytes) is not { } claims)
        {
            return null;
        }

        if (header.TryGetProperty("crit", out _) || header.TryGetProperty("b64", out _))
        {
            fault = "its header requires an extension (crit)";
            return null;
        }

        if (!TryText(header, "alg", out var algorithm) || algorithm is null
            || !TryText(header, "kid", out var keyId) || !TryText(header, "typ", out var type))
        {
            fault = "its header has an alg, kid or typ that cannot be read";
            return null;
        }

        return new JwtParts(algorithm, keyId, type, claims, signature);
    }

    /// <summary>
    /// What a token that was read says, without its signature: that has several forms which are all good (ECDSA).
    /// </summary>
    public static string SignedPartOf(string token) => token[..token.LastIndexOf('.')];

    private static JsonElement? Parse(byte[] part)
    {
        try
        {
            using var document = JsonDocument.Parse(part, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object && HoldsTexts(document.RootElement)
                ? document.RootElement.Clone()
                : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whether every text in it can be read.</summary>
    /// <remarks>
    /// The parser passes over bytes that are no UTF-8, and escaped halves of a character; reading them throws.
    /// </remarks>
    /// <exception cref="InvalidOperationException">One cannot.</exception>
    public static bool HoldsTexts(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString() is not null,
        JsonValueKind.Array => element.EnumerateArray().All(HoldsTexts),
        JsonValueKind.Object =>
            element.EnumerateObject().All(static member => member.Name is not null && HoldsTexts(member.Value)),
        _ => true,
    };

    // Absent is fine, another kind of value is not.
    private static bool TryText(JsonElement header, string name, out string? text)
    {
        text = null;
        if (!header.TryGetProperty(name, out var value))
        {
            return true;
        }

        text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        return text is not null;
    }
}
