using Gateway.Foundation.Caching;

namespace Gateway.Tests.Foundation.Caching;

public sealed class SingleFlightTests
{
    private readonly SingleFlight<string, int> _flights = new();

    [Fact]
    public async Task Ask_SameKey_IsOneCallAndItsAnswerIsEverybodys()
    {
        var (count, answer) = (0, new TaskCompletionSource<int>());
        var callers = Enumerable.Range(0, 8).Select(_ => _flights.AskAsync("a", Ask, default)).ToArray();
        var other = _flights.AskAsync("b", static () => Task.FromResult(2), default);
        answer.SetResult(1);

        Assert.All(await Task.WhenAll(callers), static one => Assert.Equal(1, one));
        Assert.Equal((1, 2), (count, await other));

        Task<int> Ask()
        {
            count++;
            return answer.Task;
        }
    }

    // A bounded queue behind it gives places in the order of the calls; one that starts later could come too late.
    [Fact]
    public void Ask_Call_HasStartedWhenItReturns()
    {
        var started = false;
        _ = _flights.AskAsync("a", () =>
        {
            started = true;
            return new TaskCompletionSource<int>().Task;
        }, default);

        Assert.True(started);
    }

    [Fact]
    public async Task Ask_AfterTheAnswer_IsAskedAgain()
    {
        // One that is answered at once, and one that takes its time, leave nothing behind.
        Assert.Equal(1, await _flights.AskAsync("a", static () => Task.FromResult(1), default));
        Assert.Equal(2, await _flights.AskAsync("a", static async () =>
        {
            await Task.Yield();
            return 2;
        }, default));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _flights.AskAsync("a", static () => throw new InvalidOperationException(), default));
        Assert.Equal(3, await _flights.AskAsync("a", static () => Task.FromResult(3), default));
    }

    [Fact]
    public async Task Ask_CallerThatLeaves_TakesNothingFromTheOthers()
    {
        var answer = new TaskCompletionSource<int>();
        using var leaving = new CancellationTokenSource();
        var first = _flights.AskAsync("a", () => answer.Task, leaving.Token);
        var second = _flights.AskAsync("a", () => answer.Task, default);
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        answer.SetResult(1);
        Assert.Equal(1, await second);
    }
}
