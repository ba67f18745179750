using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// Finds the budget that a request is told about: the one that refuses it, for longest; else the one with least left.
/// </summary>
internal struct TightestBudget
{
    private LimitCharge? _charge;
    private GcraVerdict _verdict;

    /// <summary>Compares one more.</summary>
    public void Add(LimitCharge charge, in GcraVerdict one)
    {
        if (_charge is null || one.Wait > _verdict.Wait
            || (_verdict.IsAllowed && one.Remaining < _verdict.Remaining))
        {
            (_charge, _verdict) = (charge, one);
        }
    }

    /// <summary>What comes of all of them.</summary>
    public readonly LimitLease ToLease() => LimitLease.Of(_charge, _verdict);
}
