namespace Gateway.Tests.Support;

/// <summary>The system's clock, some time ahead: what waits and measures goes on as it is.</summary>
internal sealed class ShiftedClock : TimeProvider
{
    private long _ahead;
    private long _measuredAhead;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _ahead));

    public override long GetTimestamp() => System.GetTimestamp() + Volatile.Read(ref _measuredAhead);

    public void Advance(TimeSpan time) => Interlocked.Add(ref _ahead, time.Ticks);

    /// <summary>Has time pass for what measures it; the time of day stays.</summary>
    public void AdvanceMeasured(TimeSpan time) =>
        Interlocked.Add(ref _measuredAhead, (long)(time.TotalSeconds * TimestampFrequency));
}
