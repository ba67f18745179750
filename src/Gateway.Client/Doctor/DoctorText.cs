using System.Globalization;
using System.Text;

namespace Gateway.Client.Doctor;

/// <summary>How the doctor writes foreign texts and figures.</summary>
internal static class DoctorText
{
    private const int Longest = 400;

    /// <summary>
    /// Without control, bidirectional and invisible characters, and of limited length: a server's answer may hold
    /// anything.
    /// </summary>
    public static string OneLine(string text, int longest = Longest)
    {
        var line = new StringBuilder();
        foreach (var rune in text.EnumerateRunes()) // a lone surrogate becomes U+FFFD
        {
            var isSpace = Rune.GetUnicodeCategory(rune)
                is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
                    or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator;
            if (line.Length + rune.Utf16SequenceLength > longest)
            {
                return line.ToString().TrimEnd() + "…";
            }

            if (!isSpace)
            {
                line.Append(rune.ToString());
            }
            else if (line.Length > 0)
            {
                line.Append(' ');
            }
        }

        return line.ToString().TrimEnd();
    }

    /// <summary>A time: <c>2026-11-20 08:00 UTC</c>.</summary>
    public static string At(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>A time span in its largest unit: <c>3 days</c>, <c>40 min</c>, <c>12 s</c>.</summary>
    public static string Span(TimeSpan span) => span.Duration() switch
    {
        { TotalDays: >= 2 } days => string.Create(CultureInfo.InvariantCulture, $"{days.TotalDays:F0} days"),
        { TotalHours: >= 2 } hours => string.Create(CultureInfo.InvariantCulture, $"{hours.TotalHours:F0} h"),
        { TotalMinutes: >= 2 } minutes => string.Create(CultureInfo.InvariantCulture, $"{minutes.TotalMinutes:F0} min"),
        var seconds => string.Create(CultureInfo.InvariantCulture, $"{seconds.TotalSeconds:F0} s"),
    };

    /// <summary>A number of things: <c>1 user</c>, <c>3 users</c>.</summary>
    public static string Count(int count, string one) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {one}{(count == 1 ? "" : "s")}");

    /// <summary>The message of an exception and of its inner exceptions.</summary>
    public static string Of(Exception exception) =>
        exception.InnerException is { } inner && !exception.Message.Contains(inner.Message, StringComparison.Ordinal)
            ? $"{exception.Message.TrimEnd('.')}: {Of(inner)}"
            : exception.Message.TrimEnd('.');
}
