using System.Diagnostics.CodeAnalysis;
using System.Threading.RateLimiting;
using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>Whether a request may go on, and what the tightest of its limits says about it.</summary>
/// <remarks>Permits come back with time, not with the end of the request: disposing of a lease does nothing.</remarks>
internal sealed class LimitLease : RateLimitLease
{
    /// <summary>What no limit applies to.</summary>
    public static readonly LimitLease Unlimited = new(true, null, default);

    private LimitLease(bool isAcquired, LimitCharge? tightest, GcraVerdict verdict)
    {
        IsAcquired = isAcquired;
        Tightest = tightest;
        Verdict = verdict;
    }

    /// <inheritdoc/>
    public override bool IsAcquired { get; }

    /// <summary>
    /// The budget that refuses, for longest; else the one with least left; <see langword="null"/> without any.
    /// </summary>
    public LimitCharge? Tightest { get; }

    /// <summary>What was worked out for it.</summary>
    public GcraVerdict Verdict { get; }

    /// <summary>How long to wait; zero where the request may go on.</summary>
    public TimeSpan RetryAfter => TimeSpan.FromMicroseconds(Verdict.Wait);

    /// <inheritdoc/>
    public override IEnumerable<string> MetadataNames => IsAcquired ? [] : [MetadataName.RetryAfter.Name];

    /// <summary>Judges a request by all its budgets, with the one arithmetic there is.</summary>
    /// <param name="charges">The budgets.</param>
    /// <param name="wholes">When each is full again, in microseconds of the clock of <paramref name="now"/>.</param>
    /// <param name="now">The instant.</param>
    /// <param name="permits">How many to take of each.</param>
    public static LimitLease Judge(IReadOnlyList<LimitCharge> charges, ReadOnlySpan<long> wholes, long now, int permits)
    {
        var tightest = default(TightestBudget);
        for (var i = 0; i < charges.Count; i++)
        {
            tightest.Add(charges[i], Gcra.Judge(wholes[i], now, charges[i].Rule.Quota, permits));
        }

        return tightest.ToLease();
    }

    /// <summary>What the tightest budget says of all; <see langword="null"/>: there is none.</summary>
    public static LimitLease Of(LimitCharge? tightest, in GcraVerdict verdict) =>
        tightest is null ? Unlimited : new LimitLease(verdict.IsAllowed, tightest, verdict);

    /// <inheritdoc/>
    public override bool TryGetMetadata(string metadataName, [NotNullWhen(true)] out object? metadata)
    {
        metadata = !IsAcquired && metadataName == MetadataName.RetryAfter.Name ? RetryAfter : null;
        return metadata is not null;
    }
}
