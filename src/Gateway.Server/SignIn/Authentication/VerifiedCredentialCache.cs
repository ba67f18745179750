using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Gateway.Foundation.Caching;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// Remembers credentials that were accepted, so that a password is hashed once and not for every request.
/// </summary>
/// <remarks>
/// Only acceptance is remembered: a wrong password costs its hash each time. A fixed lifetime from the verification
/// on, never prolonged by use; bounded, the oldest goes first.
/// </remarks>
internal sealed class VerifiedCredentialCache(int capacity, TimeSpan lifetime, TimeProvider time) : IMeasuredCache
{
    private readonly ConcurrentDictionary<CredentialKey, Entry> _entries = new();
    private readonly Queue<(CredentialKey Key, Entry Entry)> _byAge = new();
    private readonly Lock _lock = new();

    /// <summary>How many credentials are remembered, expired ones included until they are dropped.</summary>
    public int Count => _entries.Count;

    /// <inheritdoc/>
    public CacheLookups Lookups { get; } = new("verified_passwords");

    /// <summary>Looks up credentials.</summary>
    public bool TryGet(CredentialKey key, [NotNullWhen(true)] out AuthenticationResult.Accepted? result)
    {
        result = _entries.TryGetValue(key, out var entry) && !IsExpired(entry) ? entry.Result : null;
        Lookups.Count(result is not null);
        return result is not null;
    }

    /// <summary>Remembers credentials that were verified just now.</summary>
    public void Add(CredentialKey key, AuthenticationResult.Accepted result)
    {
        if (capacity <= 0 || lifetime <= TimeSpan.Zero)
        {
            return;
        }

        lock (_lock)
        {
            // Not the wall clock: setting it back must not prolong anything.
            var entry = new Entry(result, time.GetTimestamp());
            _entries[key] = entry;
            _byAge.Enqueue((key, entry));
            while (_byAge.Count > capacity || (_byAge.TryPeek(out var oldest) && IsExpired(oldest.Entry)))
            {
                // Only this very entry: a later verification may have put another in its place.
                var (oldKey, oldEntry) = _byAge.Dequeue();
                _entries.TryRemove(KeyValuePair.Create(oldKey, oldEntry));
            }
        }
    }

    private bool IsExpired(Entry entry) => time.GetElapsedTime(entry.VerifiedAt) >= lifetime;

    private sealed class Entry(AuthenticationResult.Accepted result, long verifiedAt)
    {
        public AuthenticationResult.Accepted Result { get; } = result;

        public long VerifiedAt { get; } = verifiedAt;
    }
}
