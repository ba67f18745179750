using Gateway.Core.RateLimiting;

namespace Gateway.Core.Tests.RateLimiting;

public sealed class RetryAfterTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.2, 1)]
    [InlineData(1, 1)]
    [InlineData(59.5, 60)]
    [InlineData(60, 60)]
    [InlineData(60.001, 31)] // two waits, and not a second one of a minute
    [InlineData(150, 50)]
    [InlineData(216, 54)] // 100 in six hours
    [InlineData(240, 60)]
    [InlineData(240.5, 5)] // the fifth wait is one that skopeo does not begin
    [InlineData(86400, 5)]
    public void For_ThisWait_IsThat(double wait, int seconds) =>
        Assert.Equal(seconds, RetryAfter.For(TimeSpan.FromSeconds(wait)));

    [Fact]
    public void For_EveryWaitThatAClientSitsOut_LeadsThereInFourStepsAtMost()
    {
        for (var wait = 1; wait <= 240; wait++)
        {
            var seconds = RetryAfter.For(TimeSpan.FromSeconds(wait));
            Assert.InRange(seconds, 1, RetryAfter.LongestSeconds);
            Assert.True(
                seconds * RetryAfter.Attempts >= wait, $"{wait} s are not sat out in four steps of {seconds} s");
        }
    }

    [Fact]
    public void For_TheLongestWait_DoesNotOverflow() => Assert.Equal(5, RetryAfter.For(TimeSpan.MaxValue));
}
