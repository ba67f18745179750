using System.Collections.Immutable;
using System.Globalization;

namespace Gateway.Core.RateLimiting;

/// <summary>
/// A budget of which permits are leased: they count as taken until they are settled, and do not come back with time
/// meanwhile. So the permits that all processes hand out are never more than one process alone would.
/// </summary>
/// <remarks>
/// Were they charged when they are leased instead, they would have come back in part before they are used.
/// </remarks>
/// <param name="Whole">When it is full again without the leases, as of <see cref="Gcra.Judge"/>.</param>
/// <param name="Leases">Those that are not settled.</param>
public sealed record LeasedBudget(long Whole, ImmutableArray<PermitLease> Leases)
{
    /// <summary>Of which nothing is used.</summary>
    public static readonly LeasedBudget Full = new(0, []);

    private const int FieldsOfLease = 3;

    private static readonly long LongestLease = (long)PermitLease.Lifetime.TotalMicroseconds;

    /// <summary>How many permits are leased.</summary>
    public int Reserved => Leases.Sum(static lease => lease.Count);

    /// <summary>Reads what the store holds; what is no number, or no lease, counts as none.</summary>
    /// <param name="whole"><see cref="Whole"/>; empty where nothing was taken.</param>
    /// <param name="leases"><c>ID COUNT EXPIRY ID COUNT EXPIRY …</c>; empty where there is none.</param>
    public static LeasedBudget Parse(string whole, string leases)
    {
        var fields = leases.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var found = ImmutableArray.CreateBuilder<PermitLease>();
        for (var i = 0; i + FieldsOfLease <= fields.Length; i += FieldsOfLease)
        {
            if (int.TryParse(fields[i + 1], CultureInfo.InvariantCulture, out var count)
                && long.TryParse(fields[i + 2], CultureInfo.InvariantCulture, out var expiry))
            {
                found.Add(new PermitLease(fields[i], count, expiry));
            }
        }

        return new LeasedBudget(
            long.TryParse(whole, CultureInfo.InvariantCulture, out var instant) ? instant : 0, found.ToImmutable());
    }

    /// <summary>The budget without the leases that are over: those that expired, and one that is given back.</summary>
    /// <param name="now">The time.</param>
    /// <param name="quota">How much is allowed.</param>
    /// <param name="ended">The one that is given back; <see langword="null"/>: none.</param>
    /// <param name="used">How many of its permits were taken. Of a lease that expired all count as taken.</param>
    public LeasedBudget Settle(long now, Quota quota, string? ended = null, int used = 0)
    {
        var (whole, left) = (Whole, ImmutableArray.CreateBuilder<PermitLease>());
        foreach (var lease in Leases)
        {
            // One that lasts longer than any can was made before the clock was set back.
            if (lease.Id == ended || lease.Expiry <= now || lease.Expiry > now + LongestLease)
            {
                var taken = lease.Id == ended ? Math.Min(used, lease.Count) : lease.Count;
                whole = Gcra.Settle(whole, Math.Min(now, lease.Expiry), quota, taken);
            }
            else
            {
                left.Add(lease);
            }
        }

        return new LeasedBudget(whole, left.ToImmutable());
    }

    /// <summary>Works out whether permits may be taken; <see cref="Settle"/> comes first.</summary>
    public GcraVerdict Judge(long now, Quota quota, int permits) => Gcra.Judge(Whole, now, quota, permits, Reserved);

    /// <summary>The budget with one more lease, unless it has no permits.</summary>
    public LeasedBudget Lease(PermitLease lease) => lease.Count == 0 ? this : this with { Leases = Leases.Add(lease) };
}
