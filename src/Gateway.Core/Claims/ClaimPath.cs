using System.Text.Json;

namespace Gateway.Core.Claims;

/// <summary>
/// Where a claim is in a token: <c>groups</c>, <c>realm_access.roles</c>, <c>kubernetes.io.namespace</c>.
/// </summary>
/// <remarks>
/// A dot goes one level down. Names of claims hold dots themselves (<c>https://example.com/groups</c>,
/// <c>kubernetes.io</c>), so at every level the longest name that exists there is taken.
/// </remarks>
public sealed record ClaimPath
{
    /// <summary>The longest path, in characters.</summary>
    public const int MaxLength = 256;

    private ClaimPath(string text) => Text = text;

    /// <summary>As written.</summary>
    public string Text { get; }

    /// <summary>Reads a path.</summary>
    /// <returns><see langword="null"/> for a text that is empty, too long or holds a control character.</returns>
    public static ClaimPath? Parse(string text) =>
        text.Length is > 0 and <= MaxLength && !text.Any(char.IsControl) && text.Trim().Length == text.Length
            ? new ClaimPath(text)
            : null;

    /// <summary>The claim's value, or <see langword="null"/> where there is none.</summary>
    /// <param name="claims">The payload, an object.</param>
    public JsonElement? Find(JsonElement claims) => Find(claims, Text);

    /// <summary>The claim as one text: a string, number or boolean; <see langword="null"/> for anything else.</summary>
    public string? FindText(JsonElement claims) => Find(claims) is { } value ? TextOf(value) : null;

    /// <summary>
    /// The claim as texts: those of an array, or the one there is. <see langword="null"/> where there is none, or
    /// something in it is no text.
    /// </summary>
    public IReadOnlyList<string>? FindTexts(JsonElement claims)
    {
        if (Find(claims) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return TextOf(value) is { } text ? [text] : null;
        }

        var texts = new List<string>(value.GetArrayLength());
        foreach (var item in value.EnumerateArray())
        {
            if (TextOf(item) is not { } text)
            {
                return null; // half of them could be the half that a deny is about
            }

            texts.Add(text);
        }

        return texts;
    }

    /// <summary>
    /// A string, number or boolean as text, as policies compare it; <see langword="null"/> for anything else.
    /// </summary>
    public static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static JsonElement? Find(JsonElement claims, string path)
    {
        if (claims.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        for (var end = path.Length; end > 0; end = path.LastIndexOf('.', end - 1))
        {
            if (claims.TryGetProperty(path.AsSpan(0, end), out var value))
            {
                return end == path.Length ? value : Find(value, path[(end + 1)..]);
            }
        }

        return null;
    }
}
