using System.Text.RegularExpressions;
using Gateway.Foundation.Configuration;

namespace Gateway.Tests.Foundation.Configuration;

public sealed class DurationTests
{
    [Theory]
    [InlineData("5m", 300_000)]
    [InlineData("90s", 90_000)]
    [InlineData("100ms", 100)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("7d", 604_800_000)]
    [InlineData("1d2h3m4s5ms", 93_784_005)]
    [InlineData("0s", 0)]
    [InlineData("00:05:00", 300_000)]
    [InlineData("23:59:59", 86_399_000)]
    [InlineData("2.00:00:01", 172_801_000)]
    public void TryParse_Duration_GivesItAndTheSchemaAgrees(string text, long milliseconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), duration);
        Assert.True(SchemaAccepts(text));
        Assert.True(Duration.TryParse(Duration.Format(duration), out var again));
        Assert.Equal(duration, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("m")]
    [InlineData("5M")]
    [InlineData("5 m")]
    [InlineData(" 5m")]
    [InlineData("-5m")]
    [InlineData("+5m")]
    [InlineData("1.5h")]
    [InlineData("30m1h")]
    [InlineData("1m1m")]
    [InlineData("5m3")]
    [InlineData("5min")]
    [InlineData("٥m")] // a digit, but not ASCII's
    [InlineData("5:00")]
    [InlineData("24:00:00")]
    [InlineData("00:60:00")]
    [InlineData("-00:05:00")]
    [InlineData("00:05:00\n")]
    public void TryParse_AnythingElse_IsRefusedAndTheSchemaAgrees(string text)
    {
        Assert.False(Duration.TryParse(text, out _));
        Assert.False(SchemaAccepts(text));
    }

    [Theory]
    [InlineData("99999999999999999999s")]
    [InlineData("9999999999d")]
    [InlineData("10675199d10675199h")]
    public void TryParse_LongerThanTimeCanBe_IsRefused(string text) => Assert.False(Duration.TryParse(text, out _));

    // JSON Schema's expressions are JavaScript's, whose "$" is the very end.
    private static bool SchemaAccepts(string text) => new Regex(Duration.Pattern, RegexOptions.ECMAScript).IsMatch(text)
        && !text.EndsWith('\n');
}
