using System.Collections.Concurrent;

namespace Gateway.Server.Registry.Contents;

/// <summary>
/// How many requests each of the most used repositories had answered from memory, and how many not: a hundred
/// repositories by name, all others together for each registry.
/// </summary>
/// <remarks>
/// Which ones: Misra and Gries, "Finding repeated elements" (1982). A hit of a repository without a place costs each
/// that has one a point, and who has none left gives its place up. So every repository with more than a hundredth of
/// the hits has one, with memory for a hundred. A place counts from when it was given; no counter ever goes down.
/// </remarks>
internal sealed class RepositoryFigures
{
    /// <summary>How many repositories are named.</summary>
    public const int MostRepositories = 100;

    private readonly ConcurrentDictionary<(string Registry, string Repository), Counts> _places = new();
    private readonly ConcurrentDictionary<string, Counts> _others = new();
    private readonly Lock _lock = new();

    /// <summary>The figures of every named repository, and of a registry's others, which have the empty name.</summary>
    public IEnumerable<(string Registry, string Repository, long Hits, long Misses)> Read()
    {
        foreach (var (place, counts) in _places)
        {
            yield return (place.Registry, place.Repository, counts.Hits, counts.Misses);
        }

        foreach (var (registry, counts) in _others)
        {
            yield return (registry, "", counts.Hits, counts.Misses);
        }
    }

    /// <summary>Counts a request.</summary>
    public void Count(string registry, string repository, bool isHit)
    {
        var counts = _places.TryGetValue((registry, repository), out var own) ? own
            : isHit ? FindPlace(registry, repository)
            : OthersOf(registry);
        counts.Count(isHit);
    }

    private Counts OthersOf(string registry) => _others.GetOrAdd(registry, static _ => new Counts());

    private Counts FindPlace(string registry, string repository)
    {
        lock (_lock)
        {
            if (_places.Count < MostRepositories)
            {
                return _places.GetOrAdd((registry, repository), static _ => new Counts());
            }

            foreach (var (place, counts) in _places)
            {
                if (!counts.TakePoint())
                {
                    _places.TryRemove(place, out _);
                }
            }

            return OthersOf(registry);
        }
    }

    private sealed class Counts
    {
        private long _hits;
        private long _misses;
        private long _points;

        public long Hits => Volatile.Read(ref _hits);

        public long Misses => Volatile.Read(ref _misses);

        public void Count(bool isHit)
        {
            if (isHit)
            {
                Interlocked.Increment(ref _hits);
                Interlocked.Increment(ref _points);
            }
            else
            {
                Interlocked.Increment(ref _misses);
            }
        }

        public bool TakePoint() => Interlocked.Decrement(ref _points) > 0;
    }
}
