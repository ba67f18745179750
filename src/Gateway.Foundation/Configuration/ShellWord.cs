using System.Globalization;
using System.Text;

namespace Gateway.Foundation.Configuration;

/// <summary>Words of commands that people copy into a shell. This is the only place that quotes them.</summary>
internal static class ShellWord
{
    private const string Plain = "_./:@%+=,-";

    /// <summary>The text as one word, whatever it contains: names come from anywhere.</summary>
    /// <remarks>
    /// Characters that move a terminal's cursor, end the line or change its direction become U+FFFD: such a word then
    /// names nothing, and shows why.
    /// </remarks>
    public static string Of(string text) => text switch
    {
        ['~', '/', .. var rest] => "~/" + (rest.Length == 0 ? "" : Of(rest)), // for the shell to expand
        [not '-', ..] when text.All(IsPlain) => text,
        _ => "'" + Visible(text).Replace("'", "'\\''", StringComparison.Ordinal) + "'",
    };

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || Plain.Contains(c, StringComparison.Ordinal);

    private static bool IsUnseen(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static string Visible(string text)
    {
        var visible = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) // a lone surrogate becomes U+FFFD
        {
            visible.Append((IsUnseen(rune) ? Rune.ReplacementChar : rune).ToString());
        }

        return visible.ToString();
    }
}
