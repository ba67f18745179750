using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Registry.Listing;

/// <summary>
/// How many catalogs are walked at a time: a caller who may see little of a large registry walks all of it. Bounded for
/// each caller, so that one who asks for many slow ones keeps nobody else waiting; and what is read upstream in all.
/// Walks of what others have read, or are reading, wait for nobody's place but their caller's.
/// </summary>
internal sealed class CatalogWalks(TimeProvider time) : IDisposable
{
    /// <summary>How many pages are read upstream at a time.</summary>
    public const int AtATime = 8;

    /// <summary>
    /// How many walks of one caller run at a time, and so how many pages are read for them: a subject, or an address
    /// (IPv6: its /64) of anonymous ones.
    /// </summary>
    public const int OfOneCaller = 2;

    /// <summary>How long one waits for its turn.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private static readonly RegistryError OneCallersMany = RegistryError.TooManyRequests(
        $"more than {OfOneCaller} of your catalog requests are running; wait for them and try again", LongestWait);

    /// <summary>Why the upstream is not asked now.</summary>
    public static readonly RegistryError Many = RegistryError.Unavailable(
        503, "too many catalog requests are running; try again shortly");

    private readonly SemaphoreSlim _all = new(AtATime, AtATime);
    private readonly Dictionary<string, Caller> _callers = new(StringComparer.Ordinal);

    /// <summary>Whom a walk is counted for.</summary>
    public static string CallerOf(GatewayContext gateway) => gateway.Subject.IsAnonymous
        ? LimitKey.AddressOf(gateway.ClientAddress)
        : LimitKey.SubjectOf(gateway.Subject);

    /// <summary>Waits for a place of the caller's.</summary>
    /// <param name="caller">See <see cref="CallerOf"/>.</param>
    /// <param name="cancellationToken">The client's leaving.</param>
    /// <returns>The place, to be disposed of; or why there is none.</returns>
    public async Task<(CatalogPlace? Place, RegistryError? Error)> EnterAsync(
        string caller, CancellationToken cancellationToken)
    {
        var own = Join(caller);
        var isTaken = false;
        try
        {
            isTaken = await TryWaitAsync(own.Places, cancellationToken);
            return isTaken ? (new CatalogPlace(this, () => Leave(caller, own, isTaken)), null) : (null, OneCallersMany);
        }
        finally
        {
            if (!isTaken)
            {
                Leave(caller, own, isTaken);
            }
        }
    }

    /// <summary>Waits for a place among all that are read upstream; <see cref="EndReading"/> gives it back.</summary>
    /// <returns><see langword="false"/> where there was none in time.</returns>
    public Task<bool> TryStartReadingAsync(CancellationToken cancellationToken) =>
        TryWaitAsync(_all, cancellationToken);

    /// <summary>Gives a place back that <see cref="TryStartReadingAsync"/> gave.</summary>
    public void EndReading() => _all.Release();

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
    private void Leave(string name, Caller caller, bool isTaken)
    {
        if (isTaken)
        {
            caller.Places.Release();
        }

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
}
