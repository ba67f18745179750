using System.Globalization;
using System.Text;

namespace Gateway.Foundation.Configuration;

/// <summary>
/// Durations as people write them: <c>5m</c>, <c>1h30m</c>, <c>100ms</c>, <c>7d</c>, and also <c>00:05:00</c>.
/// </summary>
internal static class Duration
{
    /// <summary>The same grammar as a regular expression of JSON Schema.</summary>
    public const string Pattern =
        @"^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
        + @"|^([0-9]+\.)?([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$";

    private static readonly (string Name, long Ticks)[] Units =
    [
        ("d", TimeSpan.TicksPerDay),
        ("h", TimeSpan.TicksPerHour),
        ("m", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond),
        ("ms", TimeSpan.TicksPerMillisecond),
    ];

    private static readonly string[] ClockFormats = [@"hh\:mm\:ss", @"d\.hh\:mm\:ss"];

    /// <summary>
    /// Reads a duration: integers with units, each unit once, the longest first; never negative.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        if (text.Contains(':'))
        {
            return TimeSpan.TryParseExact(
                text, ClockFormats, CultureInfo.InvariantCulture, TimeSpanStyles.None, out duration);
        }

        var ticks = 0L;
        var nextUnit = 0;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0
                || !long.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return false;
            }

            text = text[digits..];
            var letters = text.IndexOfAnyInRange('0', '9');
            var unit = FindUnit(letters < 0 ? text : text[..letters]);
            if (unit < nextUnit || number > (TimeSpan.MaxValue.Ticks - ticks) / Units[unit].Ticks)
            {
                return false;
            }

            ticks += number * Units[unit].Ticks;
            nextUnit = unit + 1;
            text = letters < 0 ? [] : text[letters..];
        }

        duration = new TimeSpan(ticks);
        return nextUnit > 0;
    }

    /// <summary>
    /// Writes a duration so that <see cref="TryParse"/> reads it back, to the millisecond: <c>1m40s</c>.
    /// </summary>
    public static string Format(TimeSpan duration)
    {
        var text = new StringBuilder();
        var ticks = duration.Ticks;
        foreach (var (name, unit) in Units)
        {
            if (ticks / unit > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{ticks / unit}{name}");
                ticks %= unit;
            }
        }

        return text.Length == 0 ? "0s" : text.ToString();
    }

    private static int FindUnit(ReadOnlySpan<char> name)
    {
        for (var i = 0; i < Units.Length; i++)
        {
            if (name.SequenceEqual(Units[i].Name))
            {
                return i;
            }
        }

        return -1;
    }
}
