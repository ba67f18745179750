using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.RateLimiting;

namespace Gateway.Core.Tests.RateLimiting;

public sealed class GcraTests
{
    private const long Second = 1_000_000;
    private const long Now = 1_790_000_000 * Second; // as large as the instants of Redis

    private static readonly Quota TenAMinute = new(10, TimeSpan.FromMinutes(1), 10);

    [Fact]
    public void Judge_Burst_IsAllowedAtOnceAndNotOneMore()
    {
        var whole = 0L;
        for (var i = 0; i < 10; i++)
        {
            var verdict = Gcra.Judge(whole, Now, TenAMinute, 1);
            Assert.True(verdict.IsAllowed);
            Assert.Equal(9 - i, verdict.Remaining);
            whole = verdict.Whole;
        }

        var refused = Gcra.Judge(whole, Now, TenAMinute, 1);

        Assert.False(refused.IsAllowed);
        Assert.Equal(0, refused.Remaining);
        Assert.Equal(6 * Second, refused.Wait);
        Assert.Equal(whole, refused.Whole); // a refusal does not make the waiting longer
    }

    [Fact]
    public void Judge_AfterTheWait_IsAllowedAndBeforeItNot()
    {
        var whole = Now + (60 * Second);

        Assert.False(Gcra.Judge(whole, Now + (6 * Second) - 1, TenAMinute, 1).IsAllowed);
        Assert.True(Gcra.Judge(whole, Now + (6 * Second), TenAMinute, 1).IsAllowed);
    }

    [Fact]
    public void Judge_NoPermits_TellsWhatIsLeftAndIsNeverRefused()
    {
        var usedUp = Gcra.Judge(Now + (60 * Second), Now, TenAMinute, 0);

        Assert.True(usedUp.IsAllowed);
        Assert.Equal(0, usedUp.Remaining);
        Assert.Equal(10, Gcra.Judge(0, Now, TenAMinute, 0).Remaining);
    }

    [Fact]
    public void Judge_GivenBack_IsAsIfNothingHadBeenTakenAndNeverMore()
    {
        var taken = Gcra.Judge(0, Now, TenAMinute, 1).Whole;

        Assert.Equal(10, Gcra.Judge(taken, Now, TenAMinute, -1).Remaining);
        Assert.Equal(10, Gcra.Judge(0, Now, TenAMinute, -1).Remaining);
    }

    [Fact]
    public void Judge_ClockSetBackOrQuotaLowered_NeverWaitsLongerThanForAUsedUpBudget()
    {
        var verdict = Gcra.Judge(Now + (3600 * Second), Now, TenAMinute, 1);

        Assert.Equal(6 * Second, verdict.Wait);
    }

    /// <summary>
    /// In any window, no more than burst and what came back meanwhile; and who is refused really has none left.
    /// </summary>
    [Fact]
    public void Judge_AnyArrivals_AreAllowedExactlyAsABucketOfTokensAllowsThem()
    {
        var cases =
            from rate in Gen.Choose(1, 50)
            from seconds in Gen.Choose(1, 120)
            from burst in Gen.Choose(1, 50)
            from gaps in Gen.Choose(0, 20_000_000).ListOf()
            select (Rate: rate, Seconds: seconds, Burst: burst, Gaps: gaps);
        Prop.ForAll(cases.ToArbitrary(), static test =>
        {
            var quota = new Quota(test.Rate, TimeSpan.FromSeconds(test.Seconds), test.Burst);
            // the bucket, in microseconds of one permit's interval
            var (whole, now, filling) = (0L, Now, quota.Tolerance);
            foreach (var gap in test.Gaps)
            {
                now += gap;
                filling = Math.Min(quota.Tolerance, filling + gap);
                var verdict = Gcra.Judge(whole, now, quota, 1);
                if (verdict.IsAllowed != filling >= quota.Interval)
                {
                    return false;
                }

                filling -= verdict.IsAllowed ? quota.Interval : 0;
                whole = verdict.Whole;
                if (verdict.Remaining != filling / quota.Interval)
                {
                    return false;
                }
            }

            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }
}
