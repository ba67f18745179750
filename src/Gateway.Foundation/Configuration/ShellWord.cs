using System.Globalization;
using System.Text;

namespace Gateway.Foundation.Configuration;

/// <summary>Words of commands that people copy into a shell. There is no other place that quotes for it.</summary>
internal static class ShellWord
{
    private const string Plain = "_./:@%+=,-";

    /// <summary>The text as one word, whatever is in it: names come from anywhere.</summary>
    /// <remarks>
    /// What moves a terminal's cursor, ends the line or turns it round becomes U+FFFD: such a word names nothing then,
    /// and shows why.
    /// </remarks>
    public static string Of(string text) => text switch
    {
        ['~', '/', .. var rest] => "~/" + (rest.Length == 0 ? "" : Of(rest)), // the shell's to read
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
        foreach (var rune in text.EnumerateRunes()) // a lone surrogate comes as U+FFFD
        {
            visible.Append((IsUnseen(rune) ? Rune.ReplacementChar : rune).ToString());
        }

        return visible.ToString();
    }
}
