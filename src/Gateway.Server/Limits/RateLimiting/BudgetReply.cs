namespace Gateway.Server.Limits.RateLimiting;

/// <summary>What <see cref="LimitScripts.Take"/> answers: the budgets as they were before.</summary>
/// <param name="Now">Redis's clock, in microseconds.</param>
/// <param name="Wholes">
/// When each budget is whole again by that clock, in the order of the charges; 0 where nothing was taken.
/// </param>
internal readonly record struct BudgetReply(long Now, ReadOnlyMemory<long> Wholes)
{
    /// <summary>Reads it: <c>now, whole…</c></summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static BudgetReply? Parse(long[] numbers) => numbers is [var now, ..]
        ? new BudgetReply(now, numbers.AsMemory(1))
        : throw new FormatException("no clock");
}
