using System.Collections.Immutable;

namespace Gateway.Core.Authorization;

/// <summary>
/// Hours of a week. A window that ends before it begins goes over midnight and belongs to the day it begins on.
/// </summary>
/// <param name="Days">The days; empty: every day.</param>
/// <param name="From">Time of day, included.</param>
/// <param name="To">Time of day, excluded; up to 24 hours.</param>
/// <param name="Zone">The time zone that days and times are in.</param>
public sealed record TimeWindow(ImmutableArray<DayOfWeek> Days, TimeSpan From, TimeSpan To, TimeZoneInfo Zone)
{
    /// <summary>Whether an instant lies in the window.</summary>
    public bool Contains(DateTimeOffset instant)
    {
        var local = instant.ToOffset(Zone.GetUtcOffset(instant));
        var time = local.TimeOfDay;
        if (From < To)
        {
            return time >= From && time < To && HasDay(local.DayOfWeek);
        }

        return time >= From
            ? HasDay(local.DayOfWeek)
            : time < To && HasDay((DayOfWeek)(((int)local.DayOfWeek + 6) % 7));
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var days = Days.IsEmpty ? "every day" : string.Join(", ", Days.Select(static day => day.ToString()));
        return $"{days} {Format(From)} to {Format(To)} {Zone.Id}";
    }

    private bool HasDay(DayOfWeek day) => Days.IsEmpty || Days.Contains(day);

    private static string Format(TimeSpan time) => $"{(int)time.TotalHours:00}:{time.Minutes:00}";
}
