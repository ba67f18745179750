using System.Globalization;
using System.Text;

namespace Gateway.Client.Doctor.Explain;

/// <summary>
/// Removes from a pasted message what differs from paste to paste: colours, line breaks, quotes and their escapes,
/// case.
/// </summary>
internal static class MessageText
{
    /// <summary>How much of a text is examined: its end, which has the reason.</summary>
    public const int MaxLength = 128 * 1024;

    private static readonly (string Entity, string Text)[] Entities =
        [
            ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"),
            ("&amp;", "&"),
        ];

    /// <summary>
    /// Removes terminal colours and the escapes of JSON and of Go's <c>%q</c>, however deep they are nested.
    /// </summary>
    public static string Unescape(string text)
    {
        if (text.Length > MaxLength)
        {
            text = text[^MaxLength..];
        }

        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            at += text[at] switch
            {
                '\\' => AppendEscape(text.AsSpan(at), result),
                '&' => AppendEntity(text.AsSpan(at), result),
                var other => Append(other, result),
            };
        }

        return RemoveColours(result.ToString());
    }

    /// <summary>
    /// The text without white space, quotes and frames, in lower case: two prints of one message are
    /// equal in this form, wherever a terminal broke the line.
    /// </summary>
    public static string Squash(string text)
    {
        var plain = Unescape(text);
        var result = new StringBuilder(plain.Length);
        foreach (var character in plain)
        {
            switch (character)
            {
                case '\u2026':
                    result.Append("...");
                    break;
                case '-' or '\u2010' or '\u2011' or '\u2012' or '\u2013' or '\u2014' or '\u2212':
                    if (result.Length == 0 || result[^1] != '-')
                    {
                        result.Append('-'); // a word processor joins two dashes into one
                    }

                    break;
                case var other when !IsNoise(other):
                    result.Append(char.ToLowerInvariant(other));
                    break;
            }
        }

        return result.ToString();
    }

    /// <summary>
    /// The text without what log collectors write before each of its lines: times, host and program, steps.
    /// </summary>
    public static string RemoveLinePrefixes(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            result.Append(LinePrefix.Trim(line)).Append('\n');
        }

        return result.ToString();
    }

    private static int Append(char character, StringBuilder result)
    {
        result.Append(character);
        return 1;
    }

    // A run of backslashes is one escape: each program that quotes the message again doubles them.
    private static int AppendEscape(ReadOnlySpan<char> text, StringBuilder result)
    {
        var length = text.IndexOfAnyExcept('\\');
        if (length < 0)
        {
            return text.Length;
        }

        var rest = text[length..];
        if (rest[0] is 'n' or 'r' or 't')
        {
            result.Append(' ');
            return length + 1;
        }

        if (rest[0] == 'u' && rest.Length > 4
            && ushort.TryParse(
                rest.Slice(1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
        {
            result.Append((char)code);
            return length + 5;
        }

        foreach (var escape in (ReadOnlySpan<string>)["x1b", "033", "e["])
        {
            if (rest.StartsWith(escape, StringComparison.OrdinalIgnoreCase))
            {
                result.Append('\e');
                return length + (escape == "e[" ? 1 : escape.Length);
            }
        }

        return length;
    }

    private static int AppendEntity(ReadOnlySpan<char> text, StringBuilder result)
    {
        foreach (var (entity, character) in Entities)
        {
            if (text.StartsWith(entity, StringComparison.OrdinalIgnoreCase))
            {
                result.Append(character);
                return entity.Length;
            }
        }

        return Append('&', result);
    }

    // ECMA-48: ESC [ … final byte, ESC ] … BEL or ESC \, otherwise one character after ESC.
    private static string RemoveColours(string text)
    {
        if (!text.Contains('\e', StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '\e')
            {
                result.Append(text[at]);
                continue;
            }

            at++;
            if (at < text.Length && text[at] == '[')
            {
                do
                {
                    at++;
                }
                while (at < text.Length && text[at] is < '@' or > '~');
            }
            else if (at < text.Length && text[at] == ']')
            {
                while (at < text.Length && text[at] is not ('\a' or '\e'))
                {
                    at++;
                }
            }
        }

        return result.ToString();
    }

    private static bool IsNoise(char character) =>
        char.IsWhiteSpace(character) || char.IsControl(character)
        || character is '"' or '\'' or '`' or '\u00b4' or '\u00ab' or '\u00bb' or '\u00ad' or '\ufeff'
            or (>= '\u2018' and <= '\u201f') or '\u2032' or '\u2033'
            or (>= '\u200b' and <= '\u200f')
            or (>= '\u2500' and <= '\u259f') // frames
            or (>= '\u2800' and <= '\u28ff'); // spinners
}
