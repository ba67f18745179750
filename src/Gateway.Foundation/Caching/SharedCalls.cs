using System.Diagnostics.CodeAnalysis;

namespace Gateway.Foundation.Caching;

/// <summary>
/// As <see cref="SingleFlight{TKey, TResult}"/>, for calls that are worth nothing once nobody waits for them: a caller
/// that stops waiting does not cancel one for the others, and the last one does.
/// </summary>
/// <typeparam name="TKey">The key.</typeparam>
/// <typeparam name="TResult">The result.</typeparam>
internal sealed class SharedCalls<TKey, TResult>
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, Call> _underWay = [];

    /// <summary>Joins the running call of a key, where there is one; starts none.</summary>
    /// <param name="key">The key.</param>
    /// <param name="result">Its result.</param>
    /// <param name="cancellationToken">Ends this caller's waiting.</param>
    public bool TryJoin(
        TKey key, [NotNullWhen(true)] out Task<TResult>? result, CancellationToken cancellationToken)
    {
        Call? call;
        lock (_lock)
        {
            if (!_underWay.TryGetValue(key, out call))
            {
                result = null;
                return false;
            }

            call.Callers++;
        }

        result = WaitAsync(key, call, cancellationToken);
        return true;
    }

    /// <summary>Joins the running call of a key, or starts it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="ask">Gets the result; is cancelled when the last caller has left.</param>
    /// <param name="cancellationToken">Ends this caller's waiting.</param>
    public Task<TResult> AskAsync(
        TKey key, Func<CancellationToken, Task<TResult>> ask, CancellationToken cancellationToken)
    {
        Call? call;
        var starts = false;
        lock (_lock)
        {
            if (!_underWay.TryGetValue(key, out call))
            {
                _underWay.Add(key, call = new Call());
                starts = true;
            }

            call.Callers++;
        }

        if (starts)
        {
            _ = RunAsync(key, call, ask);
        }

        return WaitAsync(key, call, cancellationToken);
    }

    private async Task RunAsync(TKey key, Call call, Func<CancellationToken, Task<TResult>> ask)
    {
        using var left = new CancellationTokenSource();
        call.Left = left;
        try
        {
            var result = await ask(left.Token);
            End(key, call);
            call.Done.SetResult(result);
        }
        catch (Exception exception)
        {
            End(key, call);
            call.Done.SetException(exception);
        }
    }

    private async Task<TResult> WaitAsync(TKey key, Call call, CancellationToken cancellationToken)
    {
        try
        {
            return await call.Done.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            Leave(key, call);
        }
    }

    private void Leave(TKey key, Call call)
    {
        lock (_lock)
        {
            if (--call.Callers == 0 && call.Left is { } left)
            {
                Remove_NeedsLock(key, call); // the next caller starts another
                left.Cancel();
            }
        }
    }

    // The next caller starts another; and nobody cancels what has ended.
    private void End(TKey key, Call call)
    {
        lock (_lock)
        {
            Remove_NeedsLock(key, call);
            call.Left = null;
        }
    }

    private void Remove_NeedsLock(TKey key, Call call)
    {
        if (_underWay.TryGetValue(key, out var current) && ReferenceEquals(current, call))
        {
            _underWay.Remove(key);
        }
    }

    private sealed class Call
    {
        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationTokenSource? Left { get; set; } // null before it runs, and when it has ended

        public int Callers { get; set; }
    }
}
