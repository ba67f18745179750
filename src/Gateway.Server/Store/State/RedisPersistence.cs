using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;

namespace Gateway.Server.Store.State;

/// <summary>
/// Whether Redis keeps what it answers. Asked again where another server may answer, and when the last answer is old.
/// </summary>
internal sealed partial class RedisPersistence(
    RedisConnection redis, RedisOptions options, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(5);

    private Answer? _last;
    private string? _eviction;
    private string? _flush;

    /// <summary>Refuses where a restart of Redis would lose a new token. Unknown counts as no.</summary>
    /// <exception cref="StateException">Redis writes nothing to disk, or cannot be asked.</exception>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        var last = Volatile.Read(ref _last);
        if (last is null || last.Epoch != redis.Epoch || time.GetElapsedTime(last.At) >= GoodFor)
        {
            // Noted before asking: what a server told that is another one now counts for nothing.
            var (epoch, at) = (redis.Epoch, time.GetTimestamp());
            var info = Parse(await redis.ReadInfoAsync("persistence", cancellationToken));
            last = new Answer(epoch, at, info.GetValueOrDefault("aof_enabled") == "1");
            await WarnAsync(last.IsOn, cancellationToken);
            Volatile.Write(ref _last, last);
        }

        if (options.RequirePersistence && !last.IsOn)
        {
            throw new StateException(
                $"Redis at {options.Place} does not write to disk, so a restart of Redis would lose new tokens: "
                + "the gateway issues none. Set appendonly yes (and appendfsync always) in Redis, "
                + "or set redis.requirePersistence to false.");
        }
    }

    private static Dictionary<string, string> Parse(string info)
    {
        var values = new Dictionary<string, string>();
        foreach (var line in info.AsSpan().EnumerateLines())
        {
            var colon = line.IndexOf(':');
            if (colon > 0)
            {
                values[line[..colon].ToString()] = line[(colon + 1)..].ToString();
            }
        }

        return values;
    }

    private async Task WarnAsync(bool isOn, CancellationToken cancellationToken)
    {
        var memory = Parse(await redis.ReadInfoAsync("memory", cancellationToken));
        var policy = memory.GetValueOrDefault("maxmemory_policy", "");

        // volatile-* evicts only what has an expiry, and nothing of the store has one.
        var evicts = memory.GetValueOrDefault("maxmemory", "0") != "0"
            && policy.StartsWith("allkeys", StringComparison.Ordinal);
        if (IsNew(ref _eviction, evicts ? policy : null))
        {
            Log.Evicts(logger, options.Place, policy);
        }

        var flush = isOn ? await redis.ReadConfigurationAsync("appendfsync", cancellationToken) : null;
        if (IsNew(ref _flush, flush is "always" ? null : flush))
        {
            Log.FlushesLate(logger, options.Place, flush!);
        }
    }

    // Each is told once, and again only after it was different.
    private static bool IsNew(ref string? told, string? warning) =>
        Interlocked.Exchange(ref told, warning) != warning && warning is not null;

    private sealed record Answer(RedisEpoch Epoch, long At, bool IsOn);

    private static partial class Log
    {
        [LoggerMessage(1131, LogLevel.Warning,
            "Redis at {Server} evicts keys when its memory is full (maxmemory-policy {Policy}): tokens and "
            + "revocations could be lost. Set maxmemory-policy noeviction.")]
        public static partial void Evicts(ILogger logger, string server, string policy);

        [LoggerMessage(1132, LogLevel.Warning,
            "Redis at {Server} writes to disk with appendfsync {Flush}: a crash or power cut there may lose tokens and "
            + "revocations of the last seconds, although the gateway confirmed them. Set appendfsync always.")]
        public static partial void FlushesLate(ILogger logger, string server, string flush);
    }
}
