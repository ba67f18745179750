using System.Diagnostics;
using Gateway.Bench.Fronts;
using Gateway.Bench.Machine;

namespace Gateway.Bench.Workloads;

/// <summary>What pieces of work have cost: the mean of each, in seconds of processor time.</summary>
/// <param name="Count">How many were done.</param>
/// <param name="Front">The front's own time.</param>
/// <param name="Registry">The time of the registry behind it.</param>
/// <param name="Redis">The time of Redis.</param>
/// <param name="RedisCalls">The scripts that Redis was asked to run.</param>
/// <param name="Elapsed">The time that passed, for all of them, in seconds; the machine may have been busy.</param>
internal readonly record struct Measurement(
    long Count, double Front, double Registry, double Redis, double RedisCalls, double Elapsed)
{
    /// <summary>Does some work and measures what it costs the front and the servers behind it.</summary>
    /// <param name="front">The front.</param>
    /// <param name="work">The work; it gives how many pieces it was.</param>
    public static async Task<Measurement> TakeAsync(Front front, Func<Task<long>> work)
    {
        var before = await ReadAsync(front);
        var started = Stopwatch.GetTimestamp();
        var count = await work();
        var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var after = await ReadAsync(front);
        return new Measurement(
            count,
            (after.Front - before.Front) / count,
            (after.Registry - before.Registry) / count,
            (after.Redis - before.Redis) / count,
            (after.RedisCalls - before.RedisCalls) / count,
            elapsed);
    }

    private static async Task<Measurement> ReadAsync(Front front) => new(
        0,
        ProcessorTime.OfTree(front.Process),
        front.RegistryProcess is { } registry ? ProcessorTime.OfTree(registry) : 0,
        front.Redis is { } redis ? ProcessorTime.OfTree(redis.Id) : 0,
        front.Redis is { } counting ? await counting.CountScriptsAsync() : 0,
        0);
}
