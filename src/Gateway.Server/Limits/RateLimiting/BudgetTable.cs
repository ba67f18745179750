namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// Values that end by themselves, up to a number of them. Not safe for several threads: its owner locks.
/// </summary>
/// <remarks>
/// Where there are too many, those go first that would end soonest. A client that sends from ever new addresses thus
/// drives out its own budgets, of which little was used, before those that are used up.
/// </remarks>
internal sealed class BudgetTable<T>(int capacity)
    where T : struct
{
    private readonly Dictionary<string, (T Value, long End)> _entries = new(StringComparer.Ordinal);

    /// <summary>Everything there is, with its end; what has ended is in it until it is swept.</summary>
    public IEnumerable<(string Key, T Value, long End)> Entries =>
        _entries.Select(static entry => (entry.Key, entry.Value.Value, entry.Value.End));

    /// <summary>Looks a value up; the default where there is none, or it has ended.</summary>
    public T Get(string key, long now) =>
        _entries.TryGetValue(key, out var entry) && entry.End > now ? entry.Value : default;

    /// <summary>Keeps a value until its end.</summary>
    public void Set(string key, T value, long end, long now)
    {
        _entries[key] = (value, end);
        if (_entries.Count > capacity)
        {
            Sweep(now);
        }
    }

    /// <summary>Removes a value, and tells whether there was one.</summary>
    public bool Remove(string key) => _entries.Remove(key);

    // A quarter at a time, so that a full table is sorted once for every so many new entries.
    private void Sweep(long now)
    {
        var ends = _entries.Values.Select(static entry => entry.End).Order().ToArray();
        var bound = Math.Max(now, ends[capacity / 4]);
        foreach (var key in _entries.Where(entry => entry.Value.End <= bound)
            .Select(static entry => entry.Key)
            .ToArray())
        {
            _entries.Remove(key);
        }
    }
}
