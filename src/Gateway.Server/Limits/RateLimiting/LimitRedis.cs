using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using StackExchange.Redis;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// Redis as limits use it: a request waits for it within its budget only, not at all once it failed a few times running,
/// and nobody waits to find out whether it has recovered.
/// </summary>
/// <remarks>
/// No library's circuit breaker: those let a request find out, and that one waits. Here a loop beside the requests asks.
/// </remarks>
internal sealed partial class LimitRedis(
    RedisConnection redis, LimitOptions options, TimeProvider time, ILogger<LimitRedis> logger)
    : IHostedService, IHealthPart, IAsyncDisposable
{
    private const int MostFailures = 3;
    private const int MostReasons = 3;

    // Whether it can be written, too: one that is full, or a replica, answers questions all the same. Two keys, as limits use
    // several: a node of a cluster refuses keys of different slots, and one that is asked for single keys only would seem well.
    private const string Probe =
        "redis.call('SET', KEYS[1], '1', 'PX', 1000) redis.call('SET', KEYS[2], '1', 'PX', 1000) return redis.call('DEL', KEYS[1], KEYS[2])";

    // One wait at the start, so that the first requests are counted where all are.
    private static readonly TimeSpan FirstBudget = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly HashSet<string> _told = [];
    private Task _probing = Task.CompletedTask;
    private int _failures;
    private bool _isOpen;
    private bool _isEnding;

    /// <inheritdoc/>
    public string Name => "limits";

    /// <inheritdoc/>
    public bool IsUp => !Volatile.Read(ref _isOpen);

    /// <summary>Runs a script.</summary>
    /// <returns>Its answer, which is numbers; <see langword="null"/> where Redis does not answer, and it is unknown whether it ran.</returns>
    public async ValueTask<long[]?> TryEvaluateAsync(
        string script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
    {
        if (!IsUp)
        {
            return null;
        }

        try
        {
            var result = await redis.EvaluateAsync(script, keys, values, Numbers, cancellationToken, options.Timeout);
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
            await redis.EvaluateAsync(Probe, [Key("limits-probe"), Key("limits-probe-2")], [], cancellationToken, FirstBudget);
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
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _isEnding = true;
        }

        if (!_ending.IsCancellationRequested)
        {
            await _ending.CancelAsync();
        }

        await _probing;
        _ending.Dispose();
    }

    private static long[] Numbers(RedisResult result) =>
        (long[]?)result ?? throw new FormatException("nothing, and not numbers");

    private void Open(string problem)
    {
        lock (_lock)
        {
            if (_isOpen || _isEnding)
            {
                return;
            }

            Volatile.Write(ref _isOpen, true);
            _told.Clear();
            Tell_NeedsLock(problem);
            _probing = Task.Run(ProbeUntilBackAsync);
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

    private async Task ProbeUntilBackAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(ProbeInterval, time, _ending.Token);
                try
                {
                    await redis.EvaluateAsync(Probe, [Key("limits-probe"), Key("limits-probe-2")], [], _ending.Token, options.Timeout);
                    break;
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    // Still unavailable, whatever it is: a loop that ended here would keep limits apart until the next
                    // start.
                    lock (_lock)
                    {
                        Tell_NeedsLock(LogText.OneLine(exception.Message));
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            return; // the program ends
        }

        Volatile.Write(ref _failures, 0);
        Volatile.Write(ref _isOpen, false);
        Log.Back(logger);
    }

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
