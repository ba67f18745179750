using Gateway.Foundation.Caching;

namespace Gateway.Tests.Foundation.Caching;

public sealed class SharedCallsTests
{
    private readonly SharedCalls<string, int> _calls = new();
    private readonly TaskCompletionSource<int> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _started;

    [Fact]
    public async Task Ask_WhileOneIsUnderWay_SharesItsResult()
    {
        var first = _calls.AskAsync("a", Ask, CancellationToken.None);
        var second = _calls.AskAsync("a", Ask, CancellationToken.None);
        Assert.True(_calls.TryJoin("a", out var third, CancellationToken.None));

        _answer.SetResult(7);

        var results = await Task.WhenAll(first, second, third);
        Assert.Equal([7, 7, 7], results);
        Assert.Equal(1, _started);
    }

    [Fact]
    public async Task Ask_OneOfTwoLeaves_TheOtherGetsTheResult()
    {
        using var leaving = new CancellationTokenSource();
        var first = _calls.AskAsync("a", Ask, leaving.Token);
        var second = _calls.AskAsync("a", Ask, CancellationToken.None);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        _answer.SetResult(7);

        Assert.Equal(7, await second);
        Assert.False(_cancelled.Task.IsCompleted);
    }

    [Fact]
    public async Task Ask_TheLastOneLeaves_CancelsTheCall()
    {
        using var leaving = new CancellationTokenSource();
        var first = _calls.AskAsync("a", Ask, leaving.Token);
        Assert.True(_calls.TryJoin("a", out var second, leaving.Token));

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await _cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Ask_AfterAllHaveLeft_StartsAnother()
    {
        using var leaving = new CancellationTokenSource();
        var first = _calls.AskAsync("a", _ => new TaskCompletionSource<int>().Task, leaving.Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        Assert.False(_calls.TryJoin("a", out _, CancellationToken.None));
        _answer.SetResult(7);
        Assert.Equal(7, await _calls.AskAsync("a", Ask, CancellationToken.None));
    }

    [Fact]
    public async Task Ask_Failed_FailsForAllAndIsNotRemembered()
    {
        var first = _calls.AskAsync("a", Ask, CancellationToken.None);
        var second = _calls.AskAsync("a", Ask, CancellationToken.None);
        _answer.SetException(new IOException("gone"));
        await Assert.ThrowsAsync<IOException>(() => first);
        await Assert.ThrowsAsync<IOException>(() => second);

        Assert.Equal(8, await _calls.AskAsync("a", static _ => Task.FromResult(8), CancellationToken.None));
    }

    private Task<int> Ask(CancellationToken cancellationToken)
    {
        _started++;
        cancellationToken.Register(_cancelled.SetResult);
        return _answer.Task;
    }
}
