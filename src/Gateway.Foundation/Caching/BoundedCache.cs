using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Gateway.Foundation.Caching;

/// <summary>
/// Caches a limited number of values; the oldest is removed first. The caller decides whether one is still valid.
/// </summary>
internal sealed class BoundedCache<TKey, TValue>(int capacity)
    where TKey : notnull
    where TValue : class
{
    private readonly ConcurrentDictionary<TKey, TValue> _entries = new();
    private readonly Queue<KeyValuePair<TKey, TValue>> _byAge = new();
    private readonly Lock _lock = new();

    /// <summary>How many values are cached.</summary>
    public int Count => _entries.Count;

    /// <summary>Looks a value up. It may have expired meanwhile.</summary>
    public bool TryGet(TKey key, [NotNullWhen(true)] out TValue? value) => _entries.TryGetValue(key, out value);

    /// <summary>Removes a value.</summary>
    public void Remove(TKey key) => _entries.TryRemove(key, out _);

    /// <summary>Adds a value, or replaces that of the same key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="hasEnded">Whether an old value has expired, so that it can be removed early.</param>
    public void Add(TKey key, TValue value, Predicate<TValue> hasEnded)
    {
        lock (_lock)
        {
            var entry = KeyValuePair.Create(key, value);
            _entries[key] = value;
            _byAge.Enqueue(entry);
            while (_byAge.Count > capacity || (_byAge.TryPeek(out var oldest) && hasEnded(oldest.Value)))
            {
                // Only this value: another one may have replaced it.
                _entries.TryRemove(_byAge.Dequeue());
            }
        }
    }
}
