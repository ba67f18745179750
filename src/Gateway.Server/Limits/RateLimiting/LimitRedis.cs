using Gateway.Foundation.Availability;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using StackExchange.Redis;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// Redis as limits use it: a request waits for it within its budget only, not at all once it failed a few times
/// running, and nobody waits to find out whether it has recovered.
/// </summary>
/// <remarks>
/// No library's circuit breaker: those let a request find out, and that one waits. Here a loop beside the requests
/// asks.
/// </remarks>
internal sealed partial class LimitRedis(
    RedisConnection redis, LimitOptions options, TimeProvider time, ILogger<LimitRedis> logger)
    : IHostedService, IHealthPart, IAsyncDisposable
{
    private const int MostFailures = 3;
    private const int MostReasons = 3;

    // Whether it can be written, too: one that is full, or a replica, answers questions all the same. Two keys, as
    // limits use several: a node of a cluster refuses keys of different slots, and one that is asked for single keys
    // only would seem well.
    private const string Probe =
        "redis.call('SET', KEYS[1], '1', 'PX', 1000) redis.call('SET', KEYS[2], '1', 'PX', 1000) return "
            + "redis.call('DEL', KEYS[1], KEYS[2])";

    // One wait at the start, so that the first requests are counted where all are.
    private static readonly TimeSpan FirstBudget = TimeSpan.FromSeconds(1);
    private static readonly BackOff Probes = new(TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(250));

    private readonly Lock _lock = new();
    private readonly ProbedAvailability _availability = new(Probes, time);
    private readonly HashSet<string> _told = [];
    private int _failures;
    private long _calls;

    /// <inheritdoc/>
    public string Name => "limits";

    /// <inheritdoc/>
    public bool IsUp => _availability.IsUp;

    /// <summary>The longest wait of a request.</summary>
    public TimeSpan Timeout => options.Timeout;

    /// <summary>How many scripts were sent.</summary>
    public long Calls => Interlocked.Read(ref _calls);

    /// <summary>Runs a script.</summary>
    /// <param name="script">The script; see <see cref="LimitScriptCalls"/>.</param>
    /// <param name="keys">Its keys.</param>
    /// <param name="values">Its arguments.</param>
    /// <param name="parse">
    /// Reads its answer, which is numbers; throws where it is another one than the script's.
    /// </param>
    /// <param name="cancellationToken">Ends the waiting; the script may run all the same.</param>
    /// <param name="budget">Longest wait, where it is shorter than the section's.</param>
    /// <returns>
    /// Its answer; <see langword="null"/> where Redis does not answer, and it is unknown whether it ran.
    /// </returns>
    public async ValueTask<T?> TryEvaluateAsync<T>(
        string script, RedisKey[] keys, RedisValue[] values, Func<long[], T?> parse,
        CancellationToken cancellationToken, TimeSpan? budget = null)
        where T : struct
    {
        if (!IsUp)
        {
            return null;
        }

        Interlocked.Increment(ref _calls);
        try
        {
            var result = await redis.EvaluateAsync(
                script, keys, values, result => parse(Numbers(result)), cancellationToken, budget ?? options.Timeout);
            Volatile.Write(ref _failures, 0);
            return result;
        }
        catch (StateException exception)
        {
            if (Interlocked.Increment(ref _failures) >= MostFailures)
            {
                Open(exception.Message);
            }

            return null;
        }
    }

    /// <summary>A key behind the configured prefix.</summary>
    public RedisKey Key(string name) => redis.Key(name);

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ProbeAsync(FirstBudget, cancellationToken);
        }
        catch (StateException exception)
        {
            Open(exception.Message);
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    /// <remarks>Comes once for each service that this object is.</remarks>
    public ValueTask DisposeAsync() => _availability.DisposeAsync();

    private static long[] Numbers(RedisResult result) =>
        (long[]?)result ?? throw new FormatException("nothing, and not numbers");

    private void Open(string problem)
    {
        lock (_lock)
        {
            if (_availability.TryLose(ProbeAsync, () => Log.Back(logger)))
            {
                _told.Clear();
                Tell_NeedsLock(problem);
            }
        }
    }

    // A first wait that was too short may hide why it will not come back, such as that it is a node of a cluster.
    private void Tell_NeedsLock(string problem)
    {
        if (_told.Count < MostReasons && _told.Add(problem))
        {
            Log.Lost(logger, problem);
        }
    }

    private async Task ProbeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ProbeAsync(options.Timeout, cancellationToken);
            Volatile.Write(ref _failures, 0);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            lock (_lock)
            {
                Tell_NeedsLock(LogText.OneLine(exception.Message));
            }

            throw;
        }
    }

    private async Task ProbeAsync(TimeSpan budget, CancellationToken cancellationToken) =>
        await redis.EvaluateAsync(Probe, [Key("limits-probe"), Key("limits-probe-2")], [], cancellationToken, budget);

    private static partial class Log
    {
        [LoggerMessage(1201, LogLevel.Warning,
            "This process counts limits on its own, with half of the allowed failed sign-ins: {Problem} "
            + "No request waits for Redis; limits are shared again as soon as it answers.")]
        public static partial void Lost(ILogger logger, string problem);

        [LoggerMessage(1202, LogLevel.Information, "Limits are shared through Redis again.")]
        public static partial void Back(ILogger logger);
    }
}
