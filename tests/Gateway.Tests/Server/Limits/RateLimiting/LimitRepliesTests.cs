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
    public void BudgetReply_TwoBudgets_ReadsEachAtItsPlace()
    {
        var reply = BudgetReply.Parse([100, 11, 12, 13, 21, 22, 23])!.Value;

        Assert.Equal((100, 2), (reply.Now, reply.Count));
        Assert.Equal(new BudgetReply.Budget(11, 12, 13), reply.At(0));
        Assert.Equal(new BudgetReply.Budget(21, 22, 23), reply.At(1));
    }

    [Fact]
    public void Parse_NumbersOfAnotherShape_Refuses()
    {
        Assert.Throws<FormatException>(() => BudgetReply.Parse([]));
        Assert.Throws<FormatException>(() => BudgetReply.Parse([100, 11])); // as 0.2.0 answered
        Assert.Throws<FormatException>(() => FailureReply.Parse([100]));
        Assert.Throws<FormatException>(() => FailureReply.Parse([100, 0, 11, 12])); // half a budget
    }
}
