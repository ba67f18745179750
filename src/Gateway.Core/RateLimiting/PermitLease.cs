namespace Gateway.Core.RateLimiting;

/// <summary>Permits of a budget that one process may hand out without asking.</summary>
/// <param name="Id">Names it, once for all time: what is settled twice counts once.</param>
/// <param name="Count">How many permits.</param>
/// <param name="Expiry">
/// When it counts as used up unless it was settled, in microseconds of the budget's clock: its process crashed.
/// </param>
public readonly record struct PermitLease(string Id, int Count, long Expiry)
{
    /// <summary>How long a process hands out permits of a lease, by its own clock, since it asked for it.</summary>
    public static readonly TimeSpan Use = TimeSpan.FromSeconds(4);

    /// <summary>How long a lease lasts where its process does not settle it.</summary>
    /// <remarks>Longer than <see cref="Use"/> by what giving back takes on a busy machine.</remarks>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);
}
