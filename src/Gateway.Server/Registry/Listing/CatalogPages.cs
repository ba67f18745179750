using System.Diagnostics.CodeAnalysis;
using Gateway.Core.Registry;
using Gateway.Foundation.Caching;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Listing;

/// <summary>
/// The pages of the registries' catalogs that were read a moment ago, shared by all callers: whole, as the upstream
/// gave them. What a caller may see of them is decided by the policy in force at each request and never kept.
/// </summary>
/// <remarks>
/// A page is known by its cursor, and continues where its last name ends. So a walk is read upstream once, however many
/// callers take part in it and whatever pages they ask for, and only as far as one of them needs it.
/// </remarks>
internal sealed class CatalogPages : IMeasuredCache, IDisposable
{
    /// <summary>How long a page is used, from the moment at which its reading began.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(30);

    /// <summary>How much memory all pages together take at most, in bytes: some 200,000 names.</summary>
    public const long MostBytes = 32 << 20;

    private readonly UpstreamCatalog _upstream;
    private readonly TimeProvider _time;
    private readonly long _mostBytes;
    private readonly ITimer _sweeper;
    private readonly SharedCalls<(UpstreamRegistry, string), CatalogPage> _reading = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<(UpstreamRegistry, string), CatalogPage> _pages = [];
    private readonly Queue<CatalogPage> _byAge = new();
    private long _bytes;

    /// <param name="upstream">Reads a page.</param>
    /// <param name="time">The clock.</param>
    /// <param name="mostBytes">See <see cref="MostBytes"/>.</param>
    public CatalogPages(UpstreamCatalog upstream, TimeProvider time, long mostBytes = MostBytes)
    {
        (_upstream, _time, _mostBytes) = (upstream, time, mostBytes);
        _sweeper = time.CreateTimer(
            static state => ((CatalogPages)state!).Sweep(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public CacheLookups Lookups { get; } = new("catalog_pages");

    /// <summary>About how much memory the pages take now, in bytes.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>The names after a cursor, as the upstream gave them at most <see cref="KeptFor"/> ago.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="after">The upstream's name after which to begin, or <see langword="null"/>.</param>
    /// <param name="place">The place of the request, for which the upstream may be asked.</param>
    /// <param name="cancellationToken">The client's leaving; a reading that others share goes on.</param>
    /// <returns>The page, and where in it the names begin; or why the upstream is not asked now.</returns>
    /// <exception cref="UpstreamException">The upstream did not answer.</exception>
    public async ValueTask<CatalogPosition> FindAsync(
        UpstreamRegistry registry, string? after, CatalogPlace place, CancellationToken cancellationToken)
    {
        var isKnown = TryFind(registry, after, out var position);
        Lookups.Count(isKnown);
        if (isKnown)
        {
            return position;
        }

        var key = KeyOf(registry, after);
        if (_reading.TryJoin(key, out var underWay, cancellationToken))
        {
            return new CatalogPosition(await underWay, 0);
        }

        if (await place.TryStartReadingAsync(cancellationToken) is not { } reading)
        {
            return new CatalogPosition(CatalogWalks.Many);
        }

        // What is read belongs to the place until it is read, and not until the client leaves: else one who leaves
        // at once could have the upstream asked without any bound.
        var isStarted = false;
        var read = _reading.AskAsync(
            key,
            async allHaveLeft =>
            {
                isStarted = true;
                using var held = reading;
                return TryGet(key, out var page) ? page : await ReadAsync(registry, after, allHaveLeft);
            },
            cancellationToken);
        if (!isStarted)
        {
            reading.Dispose();
        }

        return new CatalogPosition(await read, 0);
    }

    /// <summary>
    /// The names after one that the caller may not see, or that is no repository's: read upstream for this request
    /// alone. An answer from memory would be faster for names that exist than for others, and so tell which do.
    /// </summary>
    /// <inheritdoc cref="FindAsync"/>
    public async ValueTask<CatalogPosition> ReadApartAsync(
        UpstreamRegistry registry, string? after, CatalogPlace place, CancellationToken cancellationToken)
    {
        using var reading = await place.TryStartReadingAsync(cancellationToken);
        return reading is null
            ? new CatalogPosition(CatalogWalks.Many)
            : new CatalogPosition(await RequestAsync(registry, after, cancellationToken), 0);
    }

    /// <inheritdoc/>
    public void Dispose() => _sweeper.Dispose();

    private static (UpstreamRegistry, string) KeyOf(UpstreamRegistry registry, string? after) =>
        (registry, after ?? "");

    private async Task<CatalogPage> ReadAsync(
        UpstreamRegistry registry, string? after, CancellationToken cancellationToken)
    {
        var page = await RequestAsync(registry, after, cancellationToken);
        Keep(page);
        return page;
    }

    private async Task<CatalogPage> RequestAsync(
        UpstreamRegistry registry, string? after, CancellationToken cancellationToken)
    {
        var startedAt = _time.GetTimestamp();
        var (names, next) = await _upstream.ReadPageAsync(registry, after, cancellationToken);
        return new CatalogPage(registry, after, names, next, startedAt);
    }

    private bool TryGet((UpstreamRegistry, string) key, [NotNullWhen(true)] out CatalogPage? page)
    {
        lock (_lock)
        {
            return _pages.TryGetValue(key, out page) && IsFresh(page);
        }
    }

    // By its cursor where a walk goes on; else in the middle of a page, where a caller does.
    private bool TryFind(UpstreamRegistry registry, string? after, out CatalogPosition position)
    {
        lock (_lock)
        {
            if (_pages.TryGetValue(KeyOf(registry, after), out var own) && IsFresh(own))
            {
                position = new CatalogPosition(own, 0);
                return true;
            }

            if (after is not null)
            {
                foreach (var page in _pages.Values)
                {
                    // The last name of a page whose successor is the one looked for would lead back to this search.
                    if (ReferenceEquals(page.Registry, registry)
                        && page.TryFindAfter(after, out var index)
                        && !(index == page.Names.Length && page.Next == after)
                        && IsFresh(page))
                    {
                        position = new CatalogPosition(page, index);
                        return true;
                    }
                }
            }

            position = default;
            return false;
        }
    }

    private void Keep(CatalogPage page)
    {
        if (page.Bytes > _mostBytes)
        {
            return;
        }

        lock (_lock)
        {
            _pages[KeyOf(page.Registry, page.After)] = page;
            _byAge.Enqueue(page);
            _bytes += page.Bytes;
            while (_bytes > _mostBytes)
            {
                DropOldest_NeedsLock();
            }

            if (_byAge.Count == 1)
            {
                _sweeper.Change(KeptFor, Timeout.InfiniteTimeSpan);
            }
        }
    }

    // Names are not kept in memory for longer than they are used.
    private void Sweep()
    {
        lock (_lock)
        {
            while (_byAge.TryPeek(out var oldest))
            {
                // Read once: a timer refuses a time that has passed meanwhile.
                var left = KeptFor - _time.GetElapsedTime(oldest.ReadAt);
                if (left > TimeSpan.Zero)
                {
                    _sweeper.Change(left, Timeout.InfiniteTimeSpan);
                    return;
                }

                DropOldest_NeedsLock();
            }
        }
    }

    private void DropOldest_NeedsLock()
    {
        var oldest = _byAge.Dequeue();
        _bytes -= oldest.Bytes;
        var key = KeyOf(oldest.Registry, oldest.After);
        if (_pages.TryGetValue(key, out var known) && ReferenceEquals(known, oldest))
        {
            _pages.Remove(key);
        }
    }

    // Monotonic: setting the wall clock back keeps nothing.
    private bool IsFresh(CatalogPage page) => _time.GetElapsedTime(page.ReadAt) < KeptFor;
}

/// <summary>A place in a catalog: a page, and where in it; or why the upstream is not asked now.</summary>
internal readonly struct CatalogPosition
{
    private readonly CatalogPage? _page;

    /// <param name="page">The page.</param>
    /// <param name="index">An index of its names, or their number.</param>
    public CatalogPosition(CatalogPage page, int index) => (_page, Index) = (page, index);

    /// <param name="refusal">Why there is no page.</param>
    public CatalogPosition(RegistryError refusal) => Refusal = refusal;

    /// <summary>The page; only where there is no <see cref="Refusal"/>.</summary>
    public CatalogPage Page => _page ?? throw new InvalidOperationException("there is no page");

    /// <summary>An index of the page's names, or their number.</summary>
    public int Index { get; }

    /// <summary>Why there is no page.</summary>
    public RegistryError? Refusal { get; }
}
