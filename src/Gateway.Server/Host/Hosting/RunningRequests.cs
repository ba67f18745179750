namespace Gateway.Server.Host.Hosting;

/// <summary>
/// Knows which requests are running, so that an ending gateway can wait for them and then cut them off.
/// </summary>
internal sealed class RunningRequests(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _cut = new(Timeout.InfiniteTimeSpan, time);

    // Those that began before the waiting did, and those after: a busy gateway is never without any.
    private readonly long[] _counts = new long[2];
    private int _generation;
    private bool _isEnding;

    /// <summary>Whether the gateway was told to stop. It still answers.</summary>
    public bool IsEnding => Volatile.Read(ref _isEnding);

    /// <summary>How many are running.</summary>
    public long Count => Volatile.Read(ref _counts[0]) + Volatile.Read(ref _counts[1]);

    /// <summary>The gateway was told to stop.</summary>
    public void BeginEnding() => Volatile.Write(ref _isEnding, true);

    /// <summary>Runs the rest of a request.</summary>
    public async Task RunAsync(HttpContext context, RequestDelegate rest)
    {
        var generation = Volatile.Read(ref _generation);
        Interlocked.Increment(ref _counts[generation]);
        try
        {
            await using var cut = _cut.Token.UnsafeRegister(static state => ((HttpContext)state!).Abort(), context);
            await rest(context);
        }
        finally
        {
            Interlocked.Decrement(ref _counts[generation]);
        }
    }

    /// <summary>Waits until every request that is running now has ended.</summary>
    /// <returns>How many have not within the limit.</returns>
    public async Task<long> WaitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var generation = Interlocked.Exchange(ref _generation, 1);
        var started = time.GetTimestamp();
        using var timer = new PeriodicTimer(Interval, time);
        while (Volatile.Read(ref _counts[generation]) is > 0 and var left)
        {
            if (time.GetElapsedTime(started) >= limit)
            {
                return left;
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }

        return 0;
    }

    /// <summary>Breaks off every request that still runs then.</summary>
    public void CutAfter(TimeSpan delay) => _cut.CancelAfter(delay);

    /// <inheritdoc/>
    public void Dispose() => _cut.Dispose();
}
