using System.Collections.Concurrent;

namespace Gateway.Foundation.Caching;

/// <summary>
/// Concurrent calls with the same key share one result; a caller that stops waiting does not cancel it for the others.
/// </summary>
/// <typeparam name="TKey">The key.</typeparam>
/// <typeparam name="TResult">The result.</typeparam>
internal sealed class SingleFlight<TKey, TResult>
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, Lazy<Task<TResult>>> _underWay = new();

    /// <summary>Joins the running call of a key, or starts it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="ask">
    /// Gets the result; it is not cancelled when a caller leaves. It starts before this returns, so what it queues is
    /// queued in the order of the calls.
    /// </param>
    /// <param name="cancellationToken">Ends only this caller's waiting.</param>
    public Task<TResult> AskAsync(TKey key, Func<Task<TResult>> ask, CancellationToken cancellationToken)
    {
        // Started by Value, when the entry is there: so the end of the call finds it to remove.
        return _underWay.GetOrAdd(key, _ => new Lazy<Task<TResult>>(RunAsync)).Value.WaitAsync(cancellationToken);

        async Task<TResult> RunAsync()
        {
            try
            {
                return await ask();
            }
            finally
            {
                _underWay.TryRemove(key, out _);
            }
        }
    }
}
