using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Gateway.Foundation.Caching;

namespace Gateway.Server.Registry.Contents;

/// <summary>
/// The contents that are kept, bounded in bytes, and the requests that are on their way for more. Who only looks takes
/// no lock.
/// </summary>
/// <remarks>
/// What is kept and what is on its way are under one lock: a deletion drops the one and dooms the other in one step, so
/// nothing that was read before it is kept after it. Room is made by giving each entry a second chance (CLOCK): the
/// oldest goes, unless it was used since its last turn. BoundedCache counts entries and not bytes; MemoryCache refuses
/// what does not fit instead of making room, and boxes each key; BitFaster.Caching has no weights.
/// </remarks>
internal sealed class ContentStore(ContentCacheOptions options, ContentFigures figures, TimeProvider time)
{
    private const int MostUnfit = 1_024;

    // An upstream may go on deleting when the gateway no longer waits for its answer.
    private static readonly TimeSpan LongestDeletion = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<ContentKey, CachedContent> _entries = new();
    private readonly LinkedList<CachedContent> _byTurn = new();
    private readonly Dictionary<(string Registry, string Digest), HashSet<CachedContent>> _byDigest = [];
    private readonly Dictionary<string, HashSet<CachedContent>> _byRepository = new(StringComparer.Ordinal);
    private readonly Dictionary<ContentKey, ContentFlight> _flights = [];
    private readonly DeletedContents _deleted = new(time);
    private readonly BoundedCache<ContentKey, Moment> _unfit = new(MostUnfit);
    private readonly Lock _lock = new();
    private long _bytes;
    private long _reserved;

    /// <summary>The memory that contents take, and the room held for those on their way, in bytes.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes + _reserved;
            }
        }
    }

    /// <summary>How many contents are kept.</summary>
    public int Count => _entries.Count;

    /// <summary>Finds a content that is not too old.</summary>
    public bool TryFind(in ContentKey key, [NotNullWhen(true)] out CachedContent? content)
    {
        if (!_entries.TryGetValue(key, out content) || !IsYoung(content))
        {
            content = null;
            return false;
        }

        if (!content.IsUsed)
        {
            content.IsUsed = true; // a cache line that is only read stays with every processor
        }

        return true;
    }

    /// <summary>Whether a tag need not be asked for again.</summary>
    public bool IsBelieved(CachedContent content) =>
        options.TagMaxAge > TimeSpan.Zero && time.GetElapsedTime(content.CheckedAt) < options.TagMaxAge;

    /// <summary>Whether the last answer to this was none to keep, so that nobody waits for another one.</summary>
    public bool IsUnfit(in ContentKey key) =>
        _unfit.TryGet(key, out var moment) && time.GetElapsedTime(moment.At) < options.MaxAge;

    /// <summary>Has nobody wait for an answer to this for a while.</summary>
    public void SetUnfit(in ContentKey key) => _unfit.Add(key, new Moment(time.GetTimestamp()), HasEnded);

    /// <summary>Joins the request that is on its way for the same, or begins one.</summary>
    /// <param name="key">What is asked.</param>
    /// <param name="upstreamRepository">The repository as the upstream calls it.</param>
    /// <param name="known">What the caller found, and could not use.</param>
    /// <param name="leads">Whether the caller is to make the request, and to end the flight in any case.</param>
    /// <returns>One that has ended already, where it did since the caller looked.</returns>
    public ContentFlight Join(
        in ContentKey key, string upstreamRepository, CachedContent? known, out bool leads)
    {
        lock (_lock)
        {
            leads = false;
            if (_flights.TryGetValue(key, out var flight))
            {
                return flight;
            }

            flight = new ContentFlight(key, upstreamRepository, time.GetTimestamp());
            if (_entries.TryGetValue(key, out var content) && !ReferenceEquals(content, known) && IsYoung(content))
            {
                flight.TryEnd(new FlightEnd(FlightResult.Stored, content));
                return flight;
            }

            leads = true;
            _flights.Add(key, flight);
            return flight;
        }
    }

    /// <summary>Holds room for a body, and makes it.</summary>
    /// <returns>
    /// <see langword="false"/> where a quarter of all is held already, or something was deleted meanwhile.
    /// </returns>
    public bool TryReserve(ContentFlight flight, int bytes)
    {
        lock (_lock)
        {
            if (flight.IsDoomed || _reserved + bytes > options.Capacity / 4)
            {
                return false;
            }

            (flight.Reserved, _reserved) = (bytes, _reserved + bytes);
            MakeRoom_NeedsLock();
            return true;
        }
    }

    /// <summary>Keeps what a flight brought, verified, and gives it to those who wait.</summary>
    /// <returns><see langword="false"/> where something was deleted meanwhile.</returns>
    public bool TryAdd(ContentFlight flight, CachedContent content)
    {
        content.Measure();
        lock (_lock)
        {
            Leave_NeedsLock(flight);
            if (flight.IsDoomed
                || _deleted.Contains(content.Digest, flight.StartedAt)
                || _deleted.Contains(content.UpstreamRepository, flight.StartedAt))
            {
                return false;
            }

            if (_entries.TryGetValue(content.Key, out var old))
            {
                Remove_NeedsLock(old, ContentEnd.Replaced);
            }

            Add_NeedsLock(content);
            MakeRoom_NeedsLock();
        }

        flight.TryEnd(new FlightEnd(FlightResult.Stored, content));
        return true;
    }

    /// <summary>Ends a flight that brought nothing to keep. Nothing happens to one that has ended.</summary>
    /// <param name="flight">The flight.</param>
    /// <param name="result">What those who wait do now.</param>
    /// <param name="isLasting">Whether the next answer will hardly be another one.</param>
    /// <returns>Whether it had not ended yet.</returns>
    public bool End(ContentFlight flight, FlightResult result, bool isLasting = false)
    {
        lock (_lock)
        {
            Leave_NeedsLock(flight);
        }

        if (isLasting)
        {
            SetUnfit(flight.Key);
        }

        return flight.TryEnd(new FlightEnd(result));
    }

    /// <summary>Ends the waiting for a flight: all who wait go on without it, and what it brings is not kept.</summary>
    public void GiveUp(ContentFlight flight)
    {
        lock (_lock)
        {
            flight.IsDoomed = true;
            Leave_NeedsLock(flight);
        }

        flight.TryEnd(new FlightEnd(FlightResult.Unfit));
    }

    /// <summary>
    /// Drops what a change touches, and what is on its way and may have been read before it. Nothing that is read while
    /// a deletion is open is kept either: it is over with the next change of the same, or after a while.
    /// </summary>
    public void Forget(ContentChange change)
    {
        var after = change.IsOpen ? options.MaxAge + LongestDeletion : TimeSpan.Zero;
        lock (_lock)
        {
            switch (change.Kind)
            {
                case ContentChangeKind.Digest:
                    _deleted.Add(change.Reference, after);
                    foreach (var registry in figures.Registries)
                    {
                        Remove_NeedsLock(_byDigest.GetValueOrDefault((registry.Name, change.Reference)));
                    }

                    Remove_NeedsLock(
                        _byRepository.GetValueOrDefault(change.Repository),
                        static content => content.Key.Kind == ContentKind.Tag);
                    break;
                case ContentChangeKind.Repository:
                    _deleted.Add(change.Repository, after);
                    Remove_NeedsLock(_byRepository.GetValueOrDefault(change.Repository));
                    break;
                default:
                    Remove_NeedsLock(
                        _byRepository.GetValueOrDefault(change.Repository),
                        content => content.Key.Kind == ContentKind.Tag && content.Key.Reference == change.Reference);
                    break;
            }

            Doom_NeedsLock(flight => IsTouched(flight, change));
        }
    }

    /// <summary>Drops everything, and what is on its way.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            while (_byTurn.First is { Value: var content })
            {
                Remove_NeedsLock(content, ContentEnd.Gap);
            }

            Doom_NeedsLock(static _ => true);
        }
    }

    /// <summary>Drops what is too old.</summary>
    public void Sweep()
    {
        lock (_lock)
        {
            for (var place = _byTurn.First; place is not null;)
            {
                var content = place.Value;
                place = place.Next;
                if (!IsYoung(content))
                {
                    Remove_NeedsLock(content, ContentEnd.Age);
                }
            }

            _deleted.Trim(_flights.Count == 0
                ? time.GetTimestamp()
                : _flights.Values.Min(static flight => flight.StartedAt));
        }
    }

    private bool IsYoung(CachedContent content) => time.GetElapsedTime(content.CheckedAt) < options.MaxAge;

    private bool HasEnded(Moment moment) => time.GetElapsedTime(moment.At) >= options.MaxAge;

    // What a tag elsewhere leads to is known only when its answer is there: TryAdd looks then.
    private static bool IsTouched(ContentFlight flight, ContentChange change) => change.Kind switch
    {
        ContentChangeKind.Digest => flight.Key.Reference == change.Reference
            || (flight.Key.Kind == ContentKind.Tag && flight.UpstreamRepository == change.Repository),
        ContentChangeKind.Repository => flight.UpstreamRepository == change.Repository,
        _ => flight.Key.Kind == ContentKind.Tag && flight.Key.Reference == change.Reference
            && flight.UpstreamRepository == change.Repository,
    };

    private void Doom_NeedsLock(Predicate<ContentFlight> isDoomed)
    {
        foreach (var flight in _flights.Values.Where(flight => isDoomed(flight)).ToList())
        {
            flight.IsDoomed = true;
            _flights.Remove(flight.Key); // who comes from now on asks anew
            flight.TryEnd(new FlightEnd(FlightResult.Again));
        }
    }

    private void Leave_NeedsLock(ContentFlight flight)
    {
        (flight.Reserved, _reserved) = (0, _reserved - flight.Reserved);
        if (_flights.TryGetValue(flight.Key, out var current) && ReferenceEquals(current, flight))
        {
            _flights.Remove(flight.Key);
        }
    }

    private void Add_NeedsLock(CachedContent content)
    {
        var registry = figures.Of(content.Key.Registry);
        if (!_byDigest.TryGetValue((content.Key.Registry, content.Digest), out var same))
        {
            _byDigest.Add((content.Key.Registry, content.Digest), same = []);
        }

        var bytes = content.Cost;
        if (same.FirstOrDefault() is { } other)
        {
            content.Body = other.Body; // verified to be the same bytes
        }
        else
        {
            bytes += content.Body.Length;
        }

        same.Add(content);
        if (!_byRepository.TryGetValue(content.UpstreamRepository, out var repository))
        {
            _byRepository.Add(content.UpstreamRepository, repository = []);
        }

        repository.Add(content);
        content.Place = _byTurn.AddLast(content);
        _entries[content.Key] = content;
        _bytes += bytes;
        registry.Change(1, bytes);
    }

    private void Remove_NeedsLock(IEnumerable<CachedContent>? contents, Predicate<CachedContent>? isMeant = null)
    {
        foreach (var content in contents?.Where(content => isMeant?.Invoke(content) ?? true).ToList() ?? [])
        {
            Remove_NeedsLock(content, ContentEnd.Deleted);
        }
    }

    private void Remove_NeedsLock(CachedContent content, ContentEnd end)
    {
        if (content.Place is null)
        {
            return;
        }

        _entries.TryRemove(KeyValuePair.Create(content.Key, content));
        _byTurn.Remove(content.Place);
        content.Place = null;
        var bytes = content.Cost;
        var digest = (content.Key.Registry, content.Digest);
        var same = _byDigest[digest];
        same.Remove(content);
        if (same.Count == 0)
        {
            _byDigest.Remove(digest);
            bytes += content.Body.Length;
        }

        var repository = _byRepository[content.UpstreamRepository];
        repository.Remove(content);
        if (repository.Count == 0)
        {
            _byRepository.Remove(content.UpstreamRepository);
        }

        _bytes -= bytes;
        var registry = figures.Of(content.Key.Registry);
        registry.Change(-1, -bytes);
        registry.Count(end);
    }

    private void MakeRoom_NeedsLock()
    {
        // Each has one second chance at most, however many are used meanwhile.
        var chances = _byTurn.Count;
        while (_bytes + _reserved > options.Capacity && _byTurn.First is { Value: var content } place)
        {
            if (content.IsUsed && chances-- > 0 && IsYoung(content))
            {
                content.IsUsed = false;
                _byTurn.RemoveFirst();
                _byTurn.AddLast(place);
                continue;
            }

            Remove_NeedsLock(content, IsYoung(content) ? ContentEnd.Room : ContentEnd.Age);
        }
    }

    private sealed record Moment(long At);
}
