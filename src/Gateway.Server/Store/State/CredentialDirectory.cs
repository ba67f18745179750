using System.Collections.Concurrent;
using Gateway.Foundation.Caching;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.State;

/// <summary>Remembers credentials that were found, for as long as the feed of revocations is current.</summary>
/// <remarks>
/// Only what exists is remembered: a new token works at once on every replica. What changes is dropped by the feed; a
/// minute is the longest that anything is remembered, as for a Redis that lost data and says nothing of it.
/// </remarks>
internal sealed class CredentialDirectory : ICredentialDirectory, IMeasuredCache, IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<SecretHash, Entry> _byHash = new();
    private readonly Dictionary<string, Entry> _byId = [];
    private readonly Queue<Entry> _byAge = new();
    private readonly Lock _gate = new();
    private readonly ICredentialStore _store;
    private readonly RevocationFeed _feed;
    private readonly CredentialUses _uses;
    private readonly TimeProvider _time;
    private readonly int _capacity;

    public CredentialDirectory(
        ICredentialStore store, RevocationFeed feed, CredentialUses uses, TimeProvider time, int capacity = 10_000)
    {
        _store = store;
        _feed = feed;
        _uses = uses;
        _time = time;
        _capacity = capacity;
        feed.Applied += Drop;
    }

    /// <summary>How many are remembered, those included that are too old and not dropped yet.</summary>
    public int Count => _byHash.Count;

    /// <inheritdoc/>
    public CacheLookups Lookups { get; } = new("issued_tokens");

    /// <inheritdoc/>
    public ValueTask<StoredCredential?> FindAsync(SecretHash hash, CancellationToken cancellationToken)
    {
        var isKnown = _byHash.TryGetValue(hash, out var entry) && !IsOld(entry) && _feed.IsCurrent;
        Lookups.Count(isKnown);
        return isKnown
            ? new ValueTask<StoredCredential?>(entry!.Credential)
            : new ValueTask<StoredCredential?>(LoadAsync(hash, cancellationToken));
    }

    /// <inheritdoc/>
    public void RecordUse(CredentialUse use) => _uses.Record(use);

    /// <inheritdoc/>
    public void Dispose() => _feed.Applied -= Drop;

    private async Task<StoredCredential?> LoadAsync(SecretHash hash, CancellationToken cancellationToken)
    {
        if (_feed.IsDown)
        {
            // At once, not after a wait for each request: the feed tries again four times a second.
            throw new StateException("The token store is unavailable.");
        }

        var version = _feed.Version;
        var credential = await _store.FindAsync(hash, cancellationToken);
        if (credential is not null)
        {
            lock (_gate)
            {
                // A change since may be about this one, and have been dropped from here before it was here. A change
                // that comes now raises the version first and then waits for the lock, to drop what is added.
                if (_feed.Version == version)
                {
                    Add_NeedsLock(new Entry(credential, _time.GetTimestamp()));
                }
            }
        }

        return credential;
    }

    private void Add_NeedsLock(Entry entry)
    {
        _byHash[entry.Credential.Hash] = entry;
        _byId[entry.Credential.Id] = entry;
        _byAge.Enqueue(entry);
        while (_byAge.Count > _capacity || (_byAge.TryPeek(out var oldest) && IsOld(oldest)))
        {
            Remove_NeedsLock(_byAge.Dequeue());
        }
    }

    private void Drop(CredentialChange change)
    {
        lock (_gate)
        {
            if (_byId.TryGetValue(change.Key, out var entry))
            {
                Remove_NeedsLock(entry); // from the queue it goes when its time comes
            }
        }
    }

    // Only this very entry: a later one may have taken its place.
    private void Remove_NeedsLock(Entry entry)
    {
        _byHash.TryRemove(KeyValuePair.Create(entry.Credential.Hash, entry));
        if (_byId.TryGetValue(entry.Credential.Id, out var current) && ReferenceEquals(current, entry))
        {
            _byId.Remove(entry.Credential.Id);
        }
    }

    private bool IsOld(Entry entry) => _time.GetElapsedTime(entry.ReadAt) >= Lifetime;

    private sealed class Entry(StoredCredential credential, long readAt)
    {
        public StoredCredential Credential { get; } = credential;

        public long ReadAt { get; } = readAt;
    }
}
