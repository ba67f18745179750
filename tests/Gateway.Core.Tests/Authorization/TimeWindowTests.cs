using System.Globalization;
using Gateway.Core.Authorization;

namespace Gateway.Core.Tests.Authorization;

public sealed class TimeWindowTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    // 2025-01-01 is a Wednesday.
    [Theory]
    [InlineData("2025-01-01T08:00:00Z", true)]
    [InlineData("2025-01-01T07:59:59Z", false)]
    [InlineData("2025-01-01T17:59:59Z", true)]
    [InlineData("2025-01-01T18:00:00Z", false)]
    [InlineData("2025-01-02T12:00:00Z", false)]
    [InlineData("2025-01-01T12:00:00+12:00", false)]
    public void Contains_WithinOneDay_IncludesTheBeginningAndNotTheEnd(string instant, bool expected)
    {
        var window = new TimeWindow(
            [DayOfWeek.Wednesday], TimeSpan.FromHours(8), TimeSpan.FromHours(18), TimeZoneInfo.Utc);

        Assert.Equal(expected, window.Contains(Parse(instant)));
    }

    [Theory]
    [InlineData("2025-01-01T22:00:00Z", true)]
    [InlineData("2025-01-02T05:59:00Z", true)]
    [InlineData("2025-01-02T06:00:00Z", false)]
    [InlineData("2025-01-01T05:00:00Z", false)]
    [InlineData("2025-01-02T22:00:00Z", false)]
    public void Contains_OverMidnight_BelongsToTheDayItBeginsOn(string instant, bool expected)
    {
        var window = new TimeWindow(
            [DayOfWeek.Wednesday], TimeSpan.FromHours(22), TimeSpan.FromHours(6), TimeZoneInfo.Utc);

        Assert.Equal(expected, window.Contains(Parse(instant)));
    }

    [Theory]
    [InlineData("2025-01-01T07:30:00Z", true)]
    [InlineData("2025-01-01T06:30:00Z", false)]
    [InlineData("2025-07-01T06:30:00Z", true)]
    [InlineData("2025-07-01T05:30:00Z", false)]
    public void Contains_OtherZone_FollowsItsSummerTime(string instant, bool expected)
    {
        var window = new TimeWindow([], TimeSpan.FromHours(8), TimeSpan.FromHours(24), Berlin);

        Assert.Equal(expected, window.Contains(Parse(instant)));
    }

    private static DateTimeOffset Parse(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
