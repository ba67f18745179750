using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// A request's question to Redis: of some budgets it holds a leased permit, about the others it asks.
/// </summary>
/// <param name="charges">The request's budgets.</param>
/// <param name="permits">How many permits it takes of each; 0 looks only.</param>
/// <param name="asked">When, in microseconds of this process's clock.</param>
internal sealed class LeaseCall(IReadOnlyList<LimitCharge> charges, int permits, long asked)
{
    private readonly BudgetCall[] _questions = new BudgetCall[charges.Count];
    private readonly int[] _places = new int[charges.Count]; // of each charge's question; -1: none
    private readonly string?[] _held = new string?[charges.Count];
    private readonly GcraVerdict[] _verdicts = new GcraVerdict[charges.Count];
    private int _count;

    /// <summary>The request's budgets.</summary>
    public IReadOnlyList<LimitCharge> Charges => charges;

    /// <summary>How many permits it takes of each.</summary>
    public int Permits => permits;

    /// <summary>When it was asked.</summary>
    public long Asked => asked;

    /// <summary>What this process knows of each budget; <see langword="null"/>: nothing.</summary>
    public LocalBudget?[] Budgets { get; } = new LocalBudget?[charges.Count];

    /// <summary>What Redis is asked.</summary>
    public ReadOnlySpan<BudgetCall> Questions => _questions.AsSpan(0, _count);

    /// <summary>
    /// Completed when Redis has answered, or did not in time (false). Others go on by themselves then, not within it.
    /// </summary>
    public TaskCompletionSource<bool> Filled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Asks about a budget.</summary>
    public void Ask(int index, LocalBudget? budget, in BudgetCall question)
    {
        Budgets[index] = budget;
        _questions[_count] = question;
        _places[index] = _count++;
    }

    /// <summary>Notes that permits of a budget were taken out of its lease.</summary>
    public void Hold(int index, LocalBudget budget)
    {
        Budgets[index] = budget;
        _places[index] = -1;
        _held[index] = budget.Id;
        _verdicts[index] = new GcraVerdict(true, 0, budget.Remaining, 0);
    }

    /// <summary>What is asked about a budget; <see langword="null"/>: nothing, since it is leased.</summary>
    public BudgetCall? QuestionOf(int index) => _places[index] < 0 ? null : _questions[_places[index]];

    /// <summary>The lease that permits were taken from; <see langword="null"/>: none.</summary>
    public string? HeldOf(int index) => _held[index];

    /// <summary>Judges the request by what is held and what Redis answered.</summary>
    public LimitLease Judge(BudgetReply reply)
    {
        var tightest = default(TightestBudget);
        for (var i = 0; i < charges.Count; i++)
        {
            if (_places[i] >= 0)
            {
                var budget = reply.At(_places[i]);
                _verdicts[i] = Gcra.Judge(
                    budget.Whole, reply.Now, charges[i].Rule.Quota, permits, budget.Reserved);
            }

            tightest.Add(charges[i], _verdicts[i]);
        }

        return tightest.ToLease();
    }

    /// <summary>How many permits the new lease of a budget has, and how many are left besides.</summary>
    public (int Granted, int Left) GrantOf(int index, BudgetReply reply)
    {
        var granted = reply.At(_places[index]).Granted;
        return (granted, _verdicts[index].Remaining - granted);
    }
}
