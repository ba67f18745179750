using Gateway.Server.Requests.Pipeline;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Requests.Pipeline;

/// <summary>One beat for all who listen by the same clock, and none that is missed.</summary>
public sealed class PulseTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Wait_OfSeveralListeners_EndsAtTheSameBeatAndNotBefore()
    {
        var first = Pulse.Listen(_clock);
        _clock.Advance(Pulse.Interval / 2);
        var second = Pulse.Listen(_clock); // later, and hears the same
        var (one, two) = (first.WaitAsync(CancellationToken.None), second.WaitAsync(CancellationToken.None));

        _clock.Advance((Pulse.Interval / 2) - TimeSpan.FromMilliseconds(1));
        Assert.False(one.IsCompleted || two.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        await Task.WhenAll(one, two);
        Assert.False(first.WaitAsync(CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task Wait_AfterBeatsThatCameMeanwhile_EndsAtOnceAndOnlyOnce()
    {
        var listener = Pulse.Listen(_clock);
        _clock.Advance(Pulse.Interval);
        _clock.Advance(Pulse.Interval);

        await listener.WaitAsync(CancellationToken.None);

        Assert.False(listener.WaitAsync(CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task Wait_OfAnotherClock_HearsNothing()
    {
        var listener = Pulse.Listen(new FakeTimeProvider());
        _clock.Advance(Pulse.Interval);
        using var leaving = new CancellationTokenSource();
        var waiting = listener.WaitAsync(leaving.Token);

        Assert.False(waiting.IsCompleted);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
