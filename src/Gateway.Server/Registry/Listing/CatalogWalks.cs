using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Registry.Listing;

/// <summary>
/// How many catalogs are walked at a time: a caller who may see little of a large registry walks all of it. Bounded in
/// all, for the upstream's sake, and for each caller, so that one who asks for many slow ones keeps nobody else
/// waiting.
/// </summary>
internal sealed class CatalogWalks(TimeProvider time) : IDisposable
{
    /// <summary>How many walks run at a time.</summary>
    public const int AtATime = 8;

    /// <summary>
    /// How many of them are of one caller: a subject, or an address (IPv6: its /64) of anonymous ones.
    /// </summary>
    public const int OfOneCaller = 2;

    /// <summary>How long one waits for its turn.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private static readonly RegistryError OneCallersMany = RegistryError.TooManyRequests(
        $"more than {OfOneCaller} of your catalog requests are running; wait for them and try again", LongestWait);

    private static readonly RegistryError Many = RegistryError.Unavailable(
        503, "too many catalog requests are running; try again shortly");

    private readonly SemaphoreSlim _all = new(AtATime, AtATime);
    private readonly Dictionary<string, Caller> _callers = new(StringComparer.Ordinal);

    /// <summary>Whom a walk is counted for.</summary>
    public static string CallerOf(GatewayContext gateway) => gateway.Subject.IsAnonymous
        ? LimitKey.AddressOf(gateway.ClientAddress)
        : LimitKey.SubjectOf(gateway.Subject);

    /// <summary>Waits for a place.</summary>
    /// <param name="caller">See <see cref="CallerOf"/>.</param>
    /// <param name="cancellationToken">The client's leaving.</param>
    /// <returns>The place, to be disposed of; or why there is none.</returns>
    public async Task<(IDisposable? Place, RegistryError? Error)> EnterAsync(
        string caller, CancellationToken cancellationToken)
    {
        var own = Join(caller);
        var isOwnTaken = false;
        try
        {
            // The caller's own one first: waiting for it takes no place from others, nor a place in their queue.
            if (!(isOwnTaken = await TryWaitAsync(own.Places, cancellationToken)))
            {
                Leave(caller, own);
                return (null, OneCallersMany);
            }

            if (!await TryWaitAsync(_all, cancellationToken))
            {
                own.Places.Release();
                Leave(caller, own);
                return (null, Many);
            }

            return (new Place(this, caller, own), null);
        }
        catch
        {
            if (isOwnTaken)
            {
                own.Places.Release();
            }

            Leave(caller, own);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _all.Dispose();

    private async Task<bool> TryWaitAsync(SemaphoreSlim places, CancellationToken cancellationToken)
    {
        if (places.Wait(0, CancellationToken.None))
        {
            return true; // the rule: nobody waits
        }

        using var limit = new CancellationTokenSource(LongestWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await places.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private Caller Join(string name)
    {
        lock (_callers)
        {
            if (!_callers.TryGetValue(name, out var caller))
            {
                _callers.Add(name, caller = new Caller());
            }

            caller.Walks++;
            return caller;
        }
    }

    // Kept only while it walks or waits.
    private void Leave(string name, Caller caller)
    {
        lock (_callers)
        {
            if (--caller.Walks == 0)
            {
                _callers.Remove(name);
                caller.Places.Dispose();
            }
        }
    }

    private sealed class Caller
    {
        public SemaphoreSlim Places { get; } = new(OfOneCaller, OfOneCaller);

        public int Walks { get; set; }
    }

    private sealed class Place(CatalogWalks walks, string name, Caller caller) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                walks._all.Release();
                caller.Places.Release();
                walks.Leave(name, caller);
            }
        }
    }
}
