using Gateway.Core.RateLimiting;

namespace Gateway.Core.Tests.RateLimiting;

public sealed class FailureBudgetTests
{
    private const long Second = 1_000_000;
    private const long Now = 1_790_000_000 * Second;

    private static readonly Quota Three = new(3, TimeSpan.FromMinutes(3), 3); // one is forgotten each minute

    [Fact]
    public void Wait_WithinTheBurst_IsNone()
    {
        var budget = default(FailureBudget).Add(Now, Three).Add(Now, Three);

        Assert.Equal(2, budget.Count(Now, Three));
        Assert.Equal(0, budget.Wait(Now, Three));
    }

    [Fact]
    public void Wait_BeyondTheBurst_DoublesUpToTheTimeInWhichOneComesBack()
    {
        var budget = default(FailureBudget).Add(Now, Three).Add(Now, Three);
        var waits = new List<long>();
        for (var i = 0; i < 8; i++)
        {
            budget = budget.Add(Now, Three);
            waits.Add(budget.Wait(Now, Three) / Second);
        }

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60], waits);
    }

    [Fact]
    public void Wait_WhenFailuresAreForgotten_BecomesShorterAgain()
    {
        var budget = default(FailureBudget);
        for (var i = 0; i < 5; i++)
        {
            budget = budget.Add(Now, Three);
        }

        Assert.Equal(4 * Second, budget.Wait(Now, Three));
        Assert.Equal(0, budget.Wait(Now + (4 * Second), Three));
        Assert.Equal(0, budget.Count(Now + (300 * Second), Three));
    }

    [Fact]
    public void Remove_TheLastFailure_IsAsIfItHadNotBeen()
    {
        var two = default(FailureBudget).Add(Now, Three).Add(Now, Three);

        Assert.Equal(2, two.Add(Now, Three).Remove(Now, Three, Now, two.Last).Count(Now, Three));
        Assert.Equal(0, default(FailureBudget).Remove(Now, Three, Now, 0).Count(Now, Three));
    }

    [Fact]
    public void Add_FailuresWithoutEnd_AreForgottenWithinABoundedTime()
    {
        var budget = default(FailureBudget);
        for (var i = 0; i < 1000; i++)
        {
            budget = budget.Add(Now, Three);
        }

        Assert.Equal(Three.Burst + FailureBudget.MostBeyond, budget.Count(Now, Three));
    }

    [Fact]
    public void Remove_LastFailure_IsTheOneBeforeAgain_UnlessAnotherCameSince()
    {
        var one = default(FailureBudget).Add(Now, Three);
        var two = one.Add(Now + Second, Three);
        Assert.Equal(Now, two.Remove(Now + (2 * Second), Three, Now + Second, one.Last).Last);

        var three = two.Add(Now + (2 * Second), Three);
        Assert.Equal(Now + (2 * Second), three.Remove(Now + (3 * Second), Three, Now + Second, one.Last).Last);
    }

    [Fact]
    public void Wait_ClockSetBack_IsNoLongerThanTheLongest()
    {
        var budget = new FailureBudget(Now + (600 * Second), Now + (600 * Second));

        Assert.True(budget.Wait(Now, Three) <= 60 * Second);
    }
}
