using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Server.Records.Audit;

/// <summary>How text that others wrote gets into a line: bounded, and escaped by one encoder.</summary>
internal static class AuditText
{
    /// <summary>The most characters of one value, unless it has a cap of its own.</summary>
    public const int Longest = 256;

    /// <summary>
    /// The default encoder: everything outside printable ASCII, and quotes, become <c>\uXXXX</c>. So no line break,
    /// control character or change of writing direction is ever in a line, nor anything that ends its string.
    /// </summary>
    public static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.Default };

    private const string TimeForm = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <summary>The one form of an instant: <c>2026-11-26T15:57:00.123Z</c>. Text order is time order.</summary>
    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString(TimeForm, CultureInfo.InvariantCulture);

    /// <summary>Writes an instant in that form, without making a string of it.</summary>
    public static void WriteTime(this Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset time)
    {
        Span<byte> text = stackalloc byte[32];
        time.UtcDateTime.TryFormat(text, out var length, TimeForm, CultureInfo.InvariantCulture);
        json.WriteString(name, text[..length]);
    }

    /// <summary>Writes a value where there is one, cut where it is too long.</summary>
    public static void WriteText(this Utf8JsonWriter json, ReadOnlySpan<byte> name, string? text, int longest = Longest)
    {
        if (text is null)
        {
            return;
        }

        if (text.Length <= longest)
        {
            json.WriteString(name, text);
            return;
        }

        // Not between the halves of a pair: the half would become another character.
        var length = char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest;
        json.WriteString(name, string.Concat(text.AsSpan(0, length), "…"));
    }

    /// <summary>
    /// Makes text fit for a terminal: what could move its cursor or turn its direction is shown as a number.
    /// </summary>
    public static string Printable(string text)
    {
        StringBuilder? safe = null;
        var position = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsPrintable(rune))
            {
                safe?.Append(rune.ToString());
            }
            else
            {
                safe ??= new StringBuilder(text, 0, position, text.Length + 16);
                safe.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}");
            }

            position += rune.Utf16SequenceLength;
        }

        return safe?.ToString() ?? text;
    }

    private static bool IsPrintable(Rune rune) =>
        rune.Value is >= ' ' and <= '~' || Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned);
}
