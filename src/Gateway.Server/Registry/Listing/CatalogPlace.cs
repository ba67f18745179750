namespace Gateway.Server.Registry.Listing;

/// <summary>
/// A caller's place for one walk of the catalog. It is free again when the walk is over, and all that was read upstream
/// for it: what its client does not wait for counts too.
/// </summary>
/// <param name="walks">All walks.</param>
/// <param name="leave">Gives the place back.</param>
internal sealed class CatalogPlace(CatalogWalks walks, Action leave) : IDisposable
{
    private int _holders = 1; // the walk, and each reading
    private int _isOver;

    /// <summary>Waits until a page may be read upstream.</summary>
    /// <param name="cancellationToken">The client's leaving.</param>
    /// <returns>To be disposed of when the page is read; <see langword="null"/> where too many are read.</returns>
    public async Task<IDisposable?> TryStartReadingAsync(CancellationToken cancellationToken)
    {
        if (!await walks.TryStartReadingAsync(cancellationToken))
        {
            return null;
        }

        Interlocked.Increment(ref _holders);
        return new Reading(this);
    }

    /// <summary>The walk is over.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
        {
            Release();
        }
    }

    private void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            leave();
        }
    }

    private sealed class Reading(CatalogPlace place) : IDisposable
    {
        private CatalogPlace? _place = place;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _place, null) is { } place)
            {
                place.EndReading();
            }
        }
    }

    private void EndReading()
    {
        walks.EndReading();
        Release();
    }
}
