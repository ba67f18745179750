using System.Runtime.CompilerServices;

namespace Gateway.Server.Requests.Pipeline;

/// <summary>
/// Beats twice a second, for all that look regularly whether something has changed: they look at the same moment.
/// </summary>
/// <remarks>
/// An idle gateway costs what wakes its threads. Timers of their own wake them at moments of their own, one after the
/// other; what is asked of Redis at one moment leaves in one packet
/// (docs/performance-notes-connections.md).
/// </remarks>
internal sealed class Pulse
{
    /// <summary>The time between two beats.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private static readonly ConditionalWeakTable<TimeProvider, Pulse> Pulses = [];

    private readonly Lock _lock = new();
    private readonly ITimer _timer; // kept, or it stops
    private TaskCompletionSource _next = NewBeat();
    private long _beats;

    private Pulse(TimeProvider time) =>
        _timer = time.CreateTimer(static state => ((Pulse)state!).Beat(), this, Interval, Interval);

    /// <summary>Begins to listen; the first beat comes after <see cref="Interval"/> at the latest.</summary>
    /// <param name="time">The clock; all who have the same one hear the same beats.</param>
    public static Listener Listen(TimeProvider time)
    {
        var pulse = Pulses.GetValue(time, static clock => new Pulse(clock));
        return new Listener(pulse, Volatile.Read(ref pulse._beats));
    }

    private static TaskCompletionSource NewBeat() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Beat()
    {
        TaskCompletionSource beat;
        lock (_lock)
        {
            _beats++;
            (beat, _next) = (_next, NewBeat());
        }

        beat.SetResult();
    }

    /// <summary>Waits for beats, one after the other; one that comes meanwhile is not missed.</summary>
    internal sealed class Listener(Pulse pulse, long heard)
    {
        private long _heard = heard;

        /// <summary>Waits for the next beat; not at all where there was one since the last call.</summary>
        public async Task WaitAsync(CancellationToken cancellationToken)
        {
            Task next;
            lock (pulse._lock)
            {
                next = _heard == pulse._beats ? pulse._next.Task : Task.CompletedTask;
            }

            await next.WaitAsync(cancellationToken);
            _heard = Volatile.Read(ref pulse._beats);
        }
    }
}
