using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// What this process knows of a budget that it asked for lately, and the permits of it that it leased. Not safe for
/// several threads: <see cref="LimitLeases"/> locks.
/// </summary>
internal sealed class LocalBudget
{
    /// <summary>The largest batch.</summary>
    public const int LargestBatch = 40;

    // A caller who asks a few times, as one pull of an image does, leases nothing: giving it back would cost more.
    private const int AsksBeforeLease = 3;

    private static readonly long Use = (long)PermitLease.Use.TotalMicroseconds;

    // The next request of a caller who goes on gives the lease back with its own question.
    private static readonly long Patience = (long)TimeSpan.FromSeconds(1).TotalMicroseconds;

    private int _count;
    private long _leased; // when, by the clock of this process
    private long _asked; // when a request last needed permits
    private int _asks; // without a pause
    private int _left; // besides the batch
    private int _batch = Gcra.SmallestBatch; // each is twice the one before where that was used up quickly

    /// <summary>The budget, as the request that last asked Redis had it.</summary>
    public required LimitCharge Charge { get; set; }

    /// <summary>The lease; <see langword="null"/>: none.</summary>
    public string? Id { get; private set; }

    /// <summary>How many of its permits were taken.</summary>
    public int Used { get; private set; }

    /// <summary>How many of its permits are left.</summary>
    public int Unused => Id is null ? 0 : _count - Used;

    /// <summary>
    /// The call that leases the next batch, for which other requests wait; false: Redis did not answer.
    /// </summary>
    public Task<bool>? Filling { get; set; }

    /// <summary>Whether the last batch that was wanted was not granted: nobody waits for the next.</summary>
    public bool IsScarce { get; private set; }

    /// <summary>How many permits a request is told that are left.</summary>
    public int Remaining => _left + Unused;

    /// <summary>Whether so many permits can be taken here.</summary>
    public bool Has(LimitCharge charge, int permits, long now) =>
        Id is not null && Unused >= permits && now - _leased < Use && HasQuota(charge);

    /// <summary>Takes permits.</summary>
    public void Take(int permits, long now)
    {
        Used += permits;
        _asked = permits > 0 ? now : _asked;
    }

    /// <summary>Gives permits back that were taken.</summary>
    public void GiveBack(int permits) => Used -= permits;

    /// <summary>Notes that a request needs Redis, and tells how many permits to lease with it; 0: none.</summary>
    public int Ask(long now)
    {
        _asks = now - _asked < Use ? _asks + 1 : 1;
        _asked = now;
        return _asks > AsksBeforeLease ? _batch : 0;
    }

    /// <summary>Ends the lease, whose permits nobody takes any more.</summary>
    public void End(long now)
    {
        var isUsedUp = Used == _count;
        _batch = isUsedUp && now - _leased < Use / 2 ? Math.Min(2 * _batch, LargestBatch)
            : isUsedUp ? _batch
            : Math.Max(Gcra.SmallestBatch, Math.Min(_batch, Used));
        Drop();
    }

    /// <summary>Forgets the lease.</summary>
    public void Drop() => (Id, Used, _count) = (null, 0, 0);

    /// <summary>Begins a lease, or notes that there was none to be had.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="count">How many permits; 0: none.</param>
    /// <param name="left">How many are left besides.</param>
    /// <param name="asked">When Redis was asked, by the clock of this process.</param>
    public void Begin(string id, int count, int left, long asked)
    {
        IsScarce = count == 0;
        if (count > 0)
        {
            (Id, Used, _count, _left, _leased) = (id, 0, count, left, asked);
        }
    }

    /// <summary>Whether there is a lease whose time is over, and nobody came who gave it back.</summary>
    public bool IsOver(long now) => Id is not null && now - _leased >= Use + Patience;

    /// <summary>Whether nothing is leased, and nobody asked for long.</summary>
    public bool IsIdle(long now) => Id is null && Filling is null && now - _asked >= Use;

    // A limit that was changed has another quota, and its lease is given back; after a reload without a change the rule
    // is another object with the same.
    private bool HasQuota(LimitCharge charge) =>
        ReferenceEquals(charge.Rule, Charge.Rule) || charge.Rule.Quota == Charge.Rule.Quota;
}
