using System.Collections.Concurrent;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// The threads that hash passwords, apart from those that serve requests, with a bounded queue before them.
/// </summary>
/// <remarks>
/// Hashing is meant to be slow. On the pool's threads a burst of sign-ins would take all of them and stall the pulls of
/// everyone who is already signed in; without a bound, memory and waiting would grow with what an attacker sends.
/// </remarks>
internal sealed class HashWorkers : IDisposable
{
    /// <summary>Queue places for each thread: two seconds of bcrypt at cost 10.</summary>
    public const int PlacesPerThread = 32;

    private readonly BlockingCollection<Action> _queue;

    /// <param name="threads">
    /// How many passwords are hashed at the same time; zero: see <see cref="AuthenticationOptions"/>.
    /// </param>
    /// <param name="places">How many may wait; zero: <see cref="PlacesPerThread"/> for each thread.</param>
    public HashWorkers(int threads, int places = 0)
    {
        Threads = threads > 0 ? threads : Math.Max(1, Environment.ProcessorCount - 1);
        _queue = new BlockingCollection<Action>(places > 0 ? places : Threads * PlacesPerThread);
        for (var i = 0; i < Threads; i++)
        {
            new Thread(Run) { IsBackground = true, Name = $"password hashing {i}" }.Start();
        }
    }

    /// <summary>How many passwords are hashed at the same time.</summary>
    public int Threads { get; }

    /// <summary>Queues work.</summary>
    /// <returns>
    /// Its result, or <see langword="null"/> where the queue is full or closed: the caller is told to try again.
    /// </returns>
    public Task<T>? TryRun<T>(Func<T> work)
    {
        // Continuations run on the pool: a request must not continue on a hashing thread and keep it from the next.
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            return _queue.TryAdd(() => Complete(completion, work)) ? completion.Task : null;
        }
        catch (InvalidOperationException) // closed: the gateway is stopping
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _queue.CompleteAdding(); // what is queued is finished

    private static void Complete<T>(TaskCompletionSource<T> completion, Func<T> work)
    {
        try
        {
            completion.SetResult(work());
        }
        catch (Exception exception)
        {
            completion.SetException(exception);
        }
    }

    private void Run()
    {
        foreach (var work in _queue.GetConsumingEnumerable())
        {
            work();
        }
    }
}
