using System.Collections.Concurrent;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class HashWorkersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task TryRun_ManyJobs_RunOnThatManyThreadsOfTheirOwn(int threads)
    {
        using var workers = new HashWorkers(threads, places: 200);
        var seen = new ConcurrentDictionary<int, bool>();
        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => workers.TryRun(() =>
        {
            Thread.SpinWait(50_000); // long enough for every thread to get its share
            return seen[Environment.CurrentManagedThreadId] = Thread.CurrentThread.IsThreadPoolThread;
        })!));
        Assert.InRange(seen.Count, 1, threads);
        Assert.All(seen.Values, Assert.False);
    }

    [Fact]
    public async Task TryRun_Continuation_LeavesTheHashingThread()
    {
        using var workers = new HashWorkers(1);
        using var gate = new ManualResetEventSlim();
        var continuation = workers.TryRun(() =>
        {
            gate.Wait();
            return Environment.CurrentManagedThreadId;
        })!.ContinueWith(
            static async task => (Hashing: await task, Continuing: Environment.CurrentManagedThreadId),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        gate.Set();
        var (hashing, continuing) = await await continuation;
        Assert.NotEqual(hashing, continuing);
    }

    [Fact]
    public async Task TryRun_FullQueue_IsRefusedAtOnceAndTheRestIsDone()
    {
        using var workers = new HashWorkers(threads: 1, places: 2);
        using var gate = new ManualResetEventSlim();
        using var started = new ManualResetEventSlim();
        var running = workers.TryRun(() =>
        {
            started.Set();
            gate.Wait();
            return 0;
        });
        started.Wait(); // it has left the queue
        var first = workers.TryRun(() => 1);
        var second = workers.TryRun(() => 2);
        Assert.Null(workers.TryRun(() => 3));
        gate.Set();
        var results = await Task.WhenAll(running!, first!, second!);
        Assert.Equal([0, 1, 2], results);
        Assert.Equal(4, await workers.TryRun(() => 4)!);
    }

    [Fact]
    public async Task TryRun_FailingJob_LeavesTheThreadAlive()
    {
        using var workers = new HashWorkers(1);
        await Assert.ThrowsAsync<InvalidDataException>(
            () => workers.TryRun<int>(() => throw new InvalidDataException())!);
        Assert.Equal(1, await workers.TryRun(() => 1)!);
    }

    [Fact]
    public void TryRun_AfterDispose_IsRefused()
    {
        var workers = new HashWorkers(1);
        workers.Dispose();
        Assert.Null(workers.TryRun(() => 1));
    }

    [Fact]
    public void Threads_NotSet_LeavesAProcessorToTheRequests()
    {
        using var workers = new HashWorkers(0);
        Assert.Equal(Math.Max(1, Environment.ProcessorCount - 1), workers.Threads);
    }
}
