using Gateway.Foundation.Availability;
using Gateway.Tests.Support;

namespace Gateway.Tests.Foundation.Availability;

/// <summary>Down after a failure, up again only by a probe, and probed ever more rarely.</summary>
public sealed class ProbedAvailabilityTests
{
    private static readonly BackOff Probes = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));

    private readonly ObservedClock _clock = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private int _probes;
    private int _recoveries;
    private volatile Exception? _problem = new IOException("down");

    [Fact]
    public void After_FailuresInARow_DoublesUpToTheLast()
    {
        Assert.Equal(
            [1, 2, 4, 5, 5], new[] { 1, 2, 3, 4, 1000 }.Select(static failures => Probes.After(failures).TotalSeconds));
    }

    [Fact]
    public async Task TryLose_UntilAProbeSucceeds_IsDown_AndProbesInItsTime()
    {
        await using var availability = new ProbedAvailability(Probes, _clock);
        Assert.True(availability.IsUp);

        Assert.True(Lose(availability));
        Assert.False(Lose(availability)); // one probing, however many failed
        var count = 0;
        foreach (var seconds in new[] { 1, 2, 4, 5, 5 })
        {
            await Eventually.TrueAsync(() => _clock.Timers == count + 1);
            _clock.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1));
            Assert.Equal(count, Volatile.Read(ref _probes));
            _clock.Advance(TimeSpan.FromTicks(1));
            count++;
            await Eventually.TrueAsync(() => Volatile.Read(ref _probes) == count);
            Assert.False(availability.IsUp);
        }

        await Eventually.TrueAsync(() => _clock.Timers == count + 1);
        _problem = null;
        _clock.Advance(TimeSpan.FromSeconds(5));
        await Eventually.TrueAsync(() => Volatile.Read(ref _recoveries) == 1);

        Assert.True(availability.IsUp);
        Assert.True(Lose(availability)); // and may go down again
    }

    [Fact]
    public async Task Probe_ThatFailsInAnyWay_DoesNotEndTheProbing()
    {
        await using var availability = new ProbedAvailability(Probes, _clock);
        _problem = new OperationCanceledException("by nobody of ours");
        Assert.True(
            availability.TryLose(
                ProbeAsync, Recover, static () => throw new InvalidDataException("nobody thought of it")));

        await Eventually.TrueAsync(() => _clock.Timers == 1);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => _clock.Timers == 2);
        _problem = null;
        _clock.Advance(TimeSpan.FromSeconds(2));

        await Eventually.TrueAsync(() => availability.IsUp);
    }

    [Fact]
    public async Task Dispose_WhileProbing_EndsItAndStaysDown()
    {
        var availability = new ProbedAvailability(Probes, _clock);
        Assert.True(Lose(availability));
        await Eventually.TrueAsync(() => _clock.Timers == 1);

        await availability.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        await availability.DisposeAsync();

        Assert.False(availability.IsUp);
        Assert.Equal((0, 0), (_probes, _recoveries));
    }

    [Fact]
    public async Task TryLose_AfterTheEnd_BeginsNothing()
    {
        var availability = new ProbedAvailability(Probes, _clock);
        await availability.DisposeAsync();

        Assert.False(Lose(availability));
        Assert.Equal(0, _clock.Timers);
    }

    private bool Lose(ProbedAvailability availability) => availability.TryLose(ProbeAsync, Recover);

    private Task ProbeAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _probes);
        return _problem is { } problem ? Task.FromException(problem) : Task.CompletedTask;
    }

    private void Recover() => Interlocked.Increment(ref _recoveries);
}
