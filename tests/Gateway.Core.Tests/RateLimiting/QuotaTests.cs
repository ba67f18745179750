using Gateway.Core.RateLimiting;

namespace Gateway.Core.Tests.RateLimiting;

public sealed class QuotaTests
{
    [Fact]
    public void Interval_ThatDoesNotComeOut_IsRoundedUpSoThatNoPermitIsWon()
    {
        var quota = new Quota(3, TimeSpan.FromSeconds(1), 3);

        Assert.Equal(333_334, quota.Interval);
        Assert.Equal(1_000_002, quota.Tolerance);
    }

    [Theory]
    [InlineData(0, 60, 1)]
    [InlineData(1_000_001, 60, 1)]
    [InlineData(1, 60, 0)]
    [InlineData(1, 60, 1_000_001)]
    [InlineData(1, 0, 1)]
    [InlineData(1, 32 * 24 * 3600, 1)]
    [InlineData(1, 31 * 24 * 3600, 1_000_000)]
    public void Quota_OutsideItsLimits_IsNone(int rate, int seconds, int burst) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Quota(rate, TimeSpan.FromSeconds(seconds), burst));

    [Theory]
    [InlineData(10, 60, 10, 5, 60, 5)]
    [InlineData(1, 60, 1, 1, 120, 1)]
    [InlineData(1, 31 * 24 * 3600, 3, 1, 31 * 24 * 3600, 1)]
    [InlineData(3, 60, 1, 1, 60, 1)]
    public void Halve_AnyQuota_NeverAllowsMore(
        int rate, int seconds, int burst, int halfRate, int halfSeconds, int halfBurst) =>
        Assert.Equal(
            new Quota(halfRate, TimeSpan.FromSeconds(halfSeconds), halfBurst),
            new Quota(rate, TimeSpan.FromSeconds(seconds), burst).Halve());

    [Theory]
    [InlineData(3, 31, 354)] // half of three is one: two thirds of the rate are lost
    [InlineData(1, 31, 118)]
    [InlineData(1_000_000, 1, 1_000_000)]
    public void Halve_WhateverIsAllowed_IsAllowedToo(int rate, int days, int burst)
    {
        var half = new Quota(rate, TimeSpan.FromDays(days), burst).Halve();

        Assert.InRange(half.Burst, 1, burst);
        Assert.True(half.Interval >= new Quota(rate, TimeSpan.FromDays(days), burst).Interval);
    }
}
