using Gateway.Core.RateLimiting;
using Gateway.Server.Limits.RateLimiting;

namespace Gateway.Tests.Server.Limits.RateLimiting;

/// <summary>What the scripts answer, read into types.</summary>
public sealed class LimitRepliesTests
{
    [Fact]
    public void FailureReply_TwoBudgets_ReadsEachAtItsPlace()
    {
        var reply = FailureReply.Parse([100, 0, 11, 12, 1, 21, 22, 0])!.Value;

        Assert.Equal((100, false), (reply.Now, reply.IsAgain));
        Assert.Equal(
            [
                new FailureReply.State(new FailureBudget(11, 12), true),
                new FailureReply.State(new FailureBudget(21, 22), false),
            ],
            reply.Budgets);
    }

    [Fact]
    public void FailureReply_CountedAMomentAgo_HasNoBudgets()
    {
        var reply = FailureReply.Parse([100, 1])!.Value;

        Assert.Equal((100, true, 0), (reply.Now, reply.IsAgain, reply.Budgets.Count));
    }

    [Fact]
    public void BudgetReply_TwoBudgets_ReadsClockAndWholes()
    {
        var reply = BudgetReply.Parse([100, 11, 21])!.Value;

        long[] wholes = [.. reply.Wholes.Span];
        Assert.Equal(100, reply.Now);
        Assert.Equal([11, 21], wholes);
    }

    [Fact]
    public void Parse_NumbersOfAnotherShape_Refuses()
    {
        Assert.Throws<FormatException>(() => BudgetReply.Parse([]));
        Assert.Throws<FormatException>(() => FailureReply.Parse([100]));
        Assert.Throws<FormatException>(() => FailureReply.Parse([100, 0, 11, 12])); // half a budget
    }
}
