using System.Threading.RateLimiting;
using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// Budgets in Redis, shared by all replicas; in this process while Redis does not answer. Who asks often leases permits
/// in small batches, so that most requests need no answer of Redis.
/// </summary>
internal sealed class SharedLimiter : RequestLimiter, IHostedService
{
    // What is given back at once: a script holds Redis up while it runs.
    private const int MostReturned = 64;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly LimitRedis _redis;
    private readonly MemoryLimiter _memory;
    private readonly LimitLeases _leases;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _isLooking; // whether the timer is set: it is not while there is nothing to look after

    /// <summary>Makes it.</summary>
    /// <param name="redis">Where budgets are.</param>
    /// <param name="memory">Where they are while Redis does not answer.</param>
    /// <param name="leases">The permits that this process leased; of its own unless given.</param>
    /// <param name="time">The clock; the system's unless given.</param>
    public SharedLimiter(
        LimitRedis redis, MemoryLimiter memory, LimitLeases? leases = null, TimeProvider? time = null)
    {
        (_redis, _memory) = (redis, memory);
        _time = time ?? TimeProvider.System;
        _leases = leases ?? new LimitLeases(_time);
        _timer = _time.CreateTimer(
            static limiter => _ = ((SharedLimiter)limiter!).LookAfterAsync(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public override async ValueTask GiveBackAsync(
        IReadOnlyList<LimitCharge> charges, CancellationToken cancellationToken)
    {
        var others = _leases.GiveBack(charges);
        if (others.Count > 0 && await _redis.TakeAsync(others, -1, cancellationToken) is null)
        {
            await _memory.GiveBackAsync(others, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Gives everything back that is leased; the requests are over.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => SettleAsync(_leases.Collect(isClosing: true));

    /// <summary>Gives back what expired or nobody knows of.</summary>
    public Task SettleAsync() => SettleAsync(_leases.Collect());

    /// <remarks>A request that cannot wait for Redis is judged by what this process has counted.</remarks>
    protected override RateLimitLease AttemptAcquireCore(IReadOnlyList<LimitCharge> resource, int permitCount) =>
        _leases.TryTake(resource, permitCount) ?? _memory.AttemptAcquire(resource, permitCount);

    /// <inheritdoc/>
    protected override ValueTask<RateLimitLease> AcquireAsyncCore(
        IReadOnlyList<LimitCharge> resource, int permitCount, CancellationToken cancellationToken) =>
        _leases.TryTake(resource, permitCount) is { } lease
            ? new ValueTask<RateLimitLease>(lease)
            : AskAsync(resource, permitCount, cancellationToken);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _timer.Dispose();
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override async ValueTask DisposeAsyncCore()
    {
        await _timer.DisposeAsync();
        await base.DisposeAsyncCore();
    }

    // Many requests at once find a batch used up at the same moment. One of them leases the next; the others wait for
    // it for half of what they may, so that they can still ask themselves.
    private async ValueTask<RateLimitLease> AskAsync(
        IReadOnlyList<LimitCharge> charges, int permits, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        for (var hasWaited = false; _redis.IsUp; hasWaited = true)
        {
            var half = _redis.Timeout / 2;
            var left = _redis.Timeout - _time.GetElapsedTime(started);
            var patience = left - half;
            var (call, filling) = _leases.Begin(charges, permits, mayWait: patience > TimeSpan.Zero);
            if (call is not null)
            {
                // Others wait for it, too, so that it goes on where this caller has left.
                return await RunAsync(call, !hasWaited ? null : left > half ? left : half).WaitAsync(cancellationToken)
                    ?? _memory.AttemptAcquire(charges, permits);
            }

            if (await IsFilledAsync(filling!, patience, cancellationToken) == false)
            {
                break; // Redis did not answer, and would not answer this one either
            }

            if (_leases.TryTake(charges, permits) is { } lease)
            {
                return lease;
            }
        }

        return _memory.AttemptAcquire(charges, permits);
    }

    private async Task<bool?> IsFilledAsync(
        Task<bool> filling, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            return await filling.WaitAsync(patience, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    private async Task<LimitLease?> RunAsync(LeaseCall call, TimeSpan? budget)
    {
        var owed = new List<LimitCharge>();
        if (call.Questions.IsEmpty)
        {
            return _leases.Finish(call, default, owed); // everything was leased a moment ago
        }

        LookAfterSoon();
        BudgetReply? reply = null;
        LimitLease? lease = null;
        try
        {
            reply = await _redis.TakeAsync(call.Questions, call.Permits, budget, CancellationToken.None);
        }
        finally
        {
            if (reply is { } answer && answer.Count == call.Questions.Length)
            {
                lease = _leases.Finish(call, answer, owed);
            }
            else
            {
                _leases.Abandon(call, owed);
            }
        }

        if (owed.Count > 0)
        {
            await _redis.TakeAsync(owed, -call.Permits, CancellationToken.None);
        }

        // Refused because this process itself leased the last permits a moment ago.
        return lease is { IsAcquired: false } ? _leases.TryTake(call.Charges, call.Permits) ?? lease : lease;
    }

    private void LookAfterSoon()
    {
        if (Interlocked.Exchange(ref _isLooking, 1) == 0)
        {
            _timer.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task LookAfterAsync()
    {
        try
        {
            await SettleAsync();
        }
        finally
        {
            Volatile.Write(ref _isLooking, 0);
            if (!_leases.IsEmpty)
            {
                LookAfterSoon();
            }
        }
    }

    // Of different requests, so that they are not settled all or none: the script does it with each on its own.
    private async Task SettleAsync(List<LeaseReturn> over)
    {
        for (var i = 0; i < over.Count; i += MostReturned)
        {
            var some = over.GetRange(i, Math.Min(MostReturned, over.Count - i));
            var calls = some.Select(static one => new BudgetCall(one.Charge, one.Id, one.Used)).ToArray();
            if (await _redis.TakeAsync(calls, permits: 0, budget: null, CancellationToken.None) is null)
            {
                _leases.Keep(some);
            }
        }
    }
}
