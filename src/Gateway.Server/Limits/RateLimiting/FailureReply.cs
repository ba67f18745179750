using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>What <see cref="LimitScripts.CountFailure"/> answers: the budgets as they were before.</summary>
/// <param name="Now">Redis's clock, in microseconds.</param>
/// <param name="IsAgain">Whether the very same attempt was counted a moment ago; then there are no budgets.</param>
/// <param name="Budgets">In the order of the charges.</param>
internal readonly record struct FailureReply(long Now, bool IsAgain, IReadOnlyList<FailureReply.State> Budgets)
{
    private const int NumbersOfState = 3;

    /// <summary>Reads it: <c>now, again</c>, then <c>whole, last, concerned</c> of each budget.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static FailureReply? Parse(long[] numbers)
    {
        if (numbers is not [var now, var again, ..] || (numbers.Length - 2) % NumbersOfState != 0)
        {
            throw new FormatException($"{numbers.Length} numbers");
        }

        var budgets = new State[(numbers.Length - 2) / NumbersOfState];
        for (var i = 0; i < budgets.Length; i++)
        {
            var state = numbers.AsSpan(2 + (i * NumbersOfState), NumbersOfState);
            budgets[i] = new State(new FailureBudget(state[0], state[1]), state[2] == 1);
        }

        return new FailureReply(now, again == 1, budgets);
    }

    /// <summary>A budget as it was.</summary>
    /// <param name="Budget">Its failures.</param>
    /// <param name="IsSeen">
    /// Whether it concerns the attempt: the account failed from there, or all there share the budget.
    /// </param>
    public readonly record struct State(FailureBudget Budget, bool IsSeen);
}
