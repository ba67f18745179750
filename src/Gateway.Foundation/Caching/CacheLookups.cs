namespace Gateway.Foundation.Caching;

/// <summary>Counts how often a cache knew what it was asked.</summary>
/// <param name="name">What the cache remembers, as the label says it.</param>
internal sealed class CacheLookups(string name)
{
    private long _hits;
    private long _misses;

    /// <summary>What the cache remembers.</summary>
    public string Name { get; } = name;

    /// <summary>Lookups that were answered from it.</summary>
    public long Hits => Volatile.Read(ref _hits);

    /// <summary>Lookups that were not.</summary>
    public long Misses => Volatile.Read(ref _misses);

    /// <summary>Counts one.</summary>
    public void Count(bool hit) => Interlocked.Increment(ref hit ? ref _hits : ref _misses);
}
