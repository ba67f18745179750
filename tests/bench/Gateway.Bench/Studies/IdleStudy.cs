using System.Diagnostics;
using Gateway.Bench.Fronts;
using Gateway.Bench.Machine;
using Gateway.Bench.Report;
using Gateway.Bench.Servers;

namespace Gateway.Bench.Studies;

/// <summary>
/// What a server uses while nobody asks it: a gateway whose tokens and limits are in Redis, and bare YARP.
/// </summary>
internal sealed class IdleStudy(Lab lab, FrontSet fronts) : IStudy
{
    /// <inheritdoc/>
    public string Key => "idle";

    /// <inheritdoc/>
    public async Task RunAsync(Results results, CancellationToken cancellationToken)
    {
        await using var redis = await RedisServer.StartAsync(lab.FolderOf("redis-idle"));
        await using var gateway = await GatewayServer.StartAsync(
            fronts.SettingsOf(FrontSet.Gateway, lab.FolderOf("gateway-idle")) with
            {
                Redis = redis.Address,
                StoresInRedis = true,
            });
        await using var yarp = await fronts.StartAsync(FrontSet.Yarp);
        await Task.Delay(TimeSpan.FromSeconds(lab.Sizes.QuietSeconds), cancellationToken);
        for (var repeat = 0; repeat < lab.Sizes.Repeats; repeat++)
        {
            var (atFirst, yarpAtFirst) = (ProcessorTime.OfTree(gateway.Id), ProcessorTime.OfTree(yarp.Process));
            var (redisAtFirst, commands) = (ProcessorTime.OfTree(redis.Id), await redis.CountCommandsAsync());
            var started = Stopwatch.GetTimestamp();
            await Task.Delay(TimeSpan.FromSeconds(lab.Sizes.IdleSeconds), cancellationToken);
            var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
            Add(FrontSet.Gateway, "idle-cpu", "%", (ProcessorTime.OfTree(gateway.Id) - atFirst) * 100);
            Add(FrontSet.Gateway, "idle-redis-cpu", "%", (ProcessorTime.OfTree(redis.Id) - redisAtFirst) * 100);
            Add(FrontSet.Gateway, "idle-redis-commands", "1/s", await redis.CountCommandsAsync() - commands);
            Add(FrontSet.Yarp, "idle-cpu", "%", (ProcessorTime.OfTree(yarp.Process) - yarpAtFirst) * 100);

            void Add(string front, string figure, string unit, double value) =>
                results.Add(Key, front, figure, unit, value / elapsed);
        }
    }
}
