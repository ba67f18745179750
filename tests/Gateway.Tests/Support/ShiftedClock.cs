namespace Gateway.Tests.Support;

/// <summary>
/// The system's clock, some time ahead: what waits and measures goes on as it is. For a gateway that runs while a day
/// passes: with the library's clock, which stands until it is moved, it would neither poll nor try again.
/// </summary>
internal sealed class ShiftedClock : TimeProvider
{
    private readonly Lock _gate = new();
    private TimeSpan _ahead;
    private DateTimeOffset? _stands;
    private long _measuredAhead;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _stands ?? System.GetUtcNow() + _ahead;
        }
    }

    public override long GetTimestamp() => System.GetTimestamp() + Volatile.Read(ref _measuredAhead);

    /// <summary>Has time pass for what measures it; the time of day stays.</summary>
    public void AdvanceMeasured(TimeSpan time) =>
        Interlocked.Add(ref _measuredAhead, (long)(time.TotalSeconds * TimestampFrequency));

    public void Advance(TimeSpan time)
    {
        lock (_gate)
        {
            _ahead += time;
        }
    }

    /// <summary>From here on the time of day is this one, to the tick.</summary>
    public void StandAt(DateTimeOffset now)
    {
        lock (_gate)
        {
            _stands = now;
        }
    }
}
