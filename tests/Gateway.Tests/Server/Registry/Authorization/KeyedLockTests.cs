using Gateway.Server.Registry.Authorization;

namespace Gateway.Tests.Server.Registry.Authorization;

public sealed class KeyedLockTests
{
    [Fact]
    public async Task Acquire_HeldKey_WaitsForItsReleaseAndOthersDoNot()
    {
        var keys = new KeyedLock();
        var first = await keys.AcquireAsync("a", CancellationToken.None);

        var second = keys.AcquireAsync("a", CancellationToken.None);
        using var other = await keys.AcquireAsync("b", CancellationToken.None);

        Assert.False(second.IsCompleted);
        first.Dispose();
        first.Dispose(); // twice lets nobody else in
        using var held = await second;
        Assert.False(keys.AcquireAsync("a", CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task Acquire_UnderCancellation_NeitherLeaksAKeyNorSharesIt()
    {
        var keys = new KeyedLock();
        var holders = 0;
        var most = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                using var leaving = new CancellationTokenSource();
                var waiting = keys.AcquireAsync("a", leaving.Token);
                if ((i + worker) % 3 == 0)
                {
                    await leaving.CancelAsync();
                }

                try
                {
                    using var hold = await waiting;
                    most = Math.Max(most, Interlocked.Increment(ref holders));
                    await Task.Yield();
                    Interlocked.Decrement(ref holders);
                }
                catch (OperationCanceledException)
                {
                    // left while it waited
                }
            }
        })));

        using var last = await keys.AcquireAsync("a", CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(1, most);
    }
}
