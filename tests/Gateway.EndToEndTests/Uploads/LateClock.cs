using Gateway.Tests.Support;

namespace Gateway.EndToEndTests.Uploads;

/// <summary>A clock that can be moved on for everybody, or be late for a single request alone.</summary>
internal sealed class LateClock : TimeProvider
{
    private readonly ShiftedClock _everywhere = new();
    private readonly AsyncLocal<TimeSpan> _here = new();

    public override DateTimeOffset GetUtcNow() => _everywhere.GetUtcNow() + _here.Value;

    /// <summary>Moves the clock on.</summary>
    public void Advance(TimeSpan time) => _everywhere.Advance(time);

    /// <summary>Has the request that is being handled here arrive later than it did.</summary>
    public void DelayThisRequest(TimeSpan time) => _here.Value = time;
}
