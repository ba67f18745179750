namespace Gateway.Foundation.Caching;

/// <summary>Counts the hits and misses of a cache.</summary>
/// <param name="name">What the cache holds, as in the metric's label.</param>
internal sealed class CacheLookups(string name)
{
    private long _hits;
    private long _misses;

    /// <summary>What the cache holds.</summary>
    public string Name { get; } = name;

    /// <summary>Hits.</summary>
    public long Hits => Volatile.Read(ref _hits);

    /// <summary>Misses.</summary>
    public long Misses => Volatile.Read(ref _misses);

    /// <summary>Counts a lookup.</summary>
    public void Count(bool hit) => Interlocked.Increment(ref hit ? ref _hits : ref _misses);
}
