using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Support;

/// <summary>
/// A clock that tells when somebody waits on it: a background service starts on a thread of its own, and one that
/// begins to wait after the clock was moved waits for ever. The library's clock does not tell.
/// </summary>
internal sealed class ObservedClock(DateTimeOffset now) : FakeTimeProvider(now)
{
    private readonly TaskCompletionSource _timerStarted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _timers;

    /// <summary>Completed once somebody waits on this clock.</summary>
    public Task TimerStarted => _timerStarted.Task;

    /// <summary>How often somebody began to wait on it.</summary>
    public int Timers => Volatile.Read(ref _timers);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Interlocked.Increment(ref _timers);
        _timerStarted.TrySetResult();
        return timer;
    }
}
