namespace Gateway.EndToEndTests.Uploads;

/// <summary>The system's clock, some time ahead: for everybody, or for what one request's handling asks of it.</summary>
internal sealed class LateClock : TimeProvider
{
    private readonly AsyncLocal<TimeSpan> _here = new();
    private long _everywhere;

    public override DateTimeOffset GetUtcNow() =>
        System.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _everywhere)) + _here.Value;

    /// <summary>Moves the clock on.</summary>
    public void Advance(TimeSpan time) => Interlocked.Add(ref _everywhere, time.Ticks);

    /// <summary>Has the request that is being handled here arrive later than it did.</summary>
    public void DelayThisRequest(TimeSpan time) => _here.Value = time;
}
