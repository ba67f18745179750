using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Gateway.Foundation.Caching;

/// <summary>Remembers values up to a number; the oldest goes first. Whether one is still good the caller says.</summary>
internal sealed class BoundedCache<TKey, TValue>(int capacity)
    where TKey : notnull
    where TValue : class
{
    private readonly ConcurrentDictionary<TKey, TValue> _entries = new();
    private readonly Queue<KeyValuePair<TKey, TValue>> _byAge = new();
    private readonly Lock _lock = new();

    /// <summary>How many values are remembered.</summary>
    public int Count => _entries.Count;

    /// <summary>Looks a value up. It may have ended meanwhile.</summary>
    public bool TryGet(TKey key, [NotNullWhen(true)] out TValue? value) => _entries.TryGetValue(key, out value);

    /// <summary>Forgets a value.</summary>
    public void Remove(TKey key) => _entries.TryRemove(key, out _);

    /// <summary>Remembers a value, in place of another of the same key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="hasEnded">Tells of old values whether they can go before there are too many.</param>
    public void Add(TKey key, TValue value, Predicate<TValue> hasEnded)
    {
        lock (_lock)
        {
            var entry = KeyValuePair.Create(key, value);
            _entries[key] = value;
            _byAge.Enqueue(entry);
            while (_byAge.Count > capacity || (_byAge.TryPeek(out var oldest) && hasEnded(oldest.Value)))
            {
                // Only this very value: another may have taken its place.
                _entries.TryRemove(_byAge.Dequeue());
            }
        }
    }
}
