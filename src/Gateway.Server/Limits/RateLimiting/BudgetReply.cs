namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// What <see cref="LimitScripts.Take"/> answers: the budgets as they were before permits were taken, and after what was
/// over had been settled.
/// </summary>
/// <param name="Now">Redis's clock, in microseconds.</param>
/// <param name="Numbers">Of each budget, in the order of the charges: see <see cref="At"/>.</param>
internal readonly record struct BudgetReply(long Now, ReadOnlyMemory<long> Numbers)
{
    private const int NumbersOfBudget = 3;

    /// <summary>Of how many budgets it tells.</summary>
    public int Count => Numbers.Length / NumbersOfBudget;

    /// <summary>Reads it: <c>now</c>, then <c>whole, reserved, granted</c> of each budget.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static BudgetReply? Parse(long[] numbers) => numbers is [var now, ..]
        && (numbers.Length - 1) % NumbersOfBudget == 0
        ? new BudgetReply(now, numbers.AsMemory(1))
        : throw new FormatException($"{numbers.Length} numbers");

    /// <summary>One budget.</summary>
    public Budget At(int index)
    {
        var numbers = Numbers.Span.Slice(index * NumbersOfBudget, NumbersOfBudget);
        return new Budget(numbers[0], (int)numbers[1], (int)numbers[2]);
    }

    /// <summary>One budget.</summary>
    /// <param name="Whole">When it is whole again by Redis's clock; 0 where nothing was taken.</param>
    /// <param name="Reserved">How many permits are leased, without those of the new lease.</param>
    /// <param name="Granted">How many permits the new lease has.</param>
    public readonly record struct Budget(long Whole, int Reserved, int Granted);
}
