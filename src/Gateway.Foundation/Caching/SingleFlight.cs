using System.Collections.Concurrent;

namespace Gateway.Foundation.Caching;

/// <summary>Those who ask the same at once share one answer, and whoever stops waiting does not end it for the others.</summary>
/// <typeparam name="TKey">What is asked.</typeparam>
/// <typeparam name="TResult">The answer.</typeparam>
internal sealed class SingleFlight<TKey, TResult>
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, Lazy<Task<TResult>>> _underWay = new();

    /// <summary>Joins the question that is under way, or begins it.</summary>
    /// <param name="key">What is asked.</param>
    /// <param name="ask">Asks; it is not given up when a caller leaves.</param>
    /// <param name="cancellationToken">Ends this caller's waiting alone.</param>
    public Task<TResult> AskAsync(TKey key, Func<Task<TResult>> ask, CancellationToken cancellationToken)
    {
        return _underWay.GetOrAdd(key, _ => new Lazy<Task<TResult>>(RunAsync)).Value.WaitAsync(cancellationToken);

        async Task<TResult> RunAsync()
        {
            try
            {
                await Task.Yield(); // the entry is there before it is taken away
                return await ask();
            }
            finally
            {
                _underWay.TryRemove(key, out _);
            }
        }
    }
}
