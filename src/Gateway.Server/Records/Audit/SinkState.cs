namespace Gateway.Server.Records.Audit;

/// <summary>Whether a sink can be written to. Read by any thread; set by the one whose turn it is.</summary>
internal sealed class SinkState(TimeProvider time)
{
    /// <summary>
    /// A write that takes longer is an outage: a network file system that hangs, a reader of stdout that stopped.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private volatile Failure? _failure;
    private long _writingSince; // 0: nobody writes

    /// <summary>Whether lines cannot be written at present.</summary>
    public bool IsFailing => _failure is not null || IsHanging;

    /// <summary>Since when writes fail; <see langword="null"/> where the last one did not.</summary>
    public DateTimeOffset? FailedAt => _failure?.At;

    private bool IsHanging
    {
        get
        {
            var since = Interlocked.Read(ref _writingSince);
            return since != 0 && time.GetElapsedTime(since) > Patience;
        }
    }

    /// <summary>Says that a write begins.</summary>
    public void BeginWrite() => Interlocked.Exchange(ref _writingSince, Math.Max(1, time.GetTimestamp()));

    /// <summary>Says that it is over, well or not.</summary>
    public void EndWrite() => Interlocked.Exchange(ref _writingSince, 0);

    /// <summary>Says that a write failed.</summary>
    /// <returns>Whether it is the first of an outage.</returns>
    public bool TryFail()
    {
        if (_failure is not null)
        {
            return false;
        }

        _failure = new Failure(time.GetUtcNow());
        return true;
    }

    /// <summary>Says that a write did not fail.</summary>
    /// <returns>Whether that is the end of an outage.</returns>
    public bool TryRecover()
    {
        if (_failure is null)
        {
            return false;
        }

        _failure = null;
        return true;
    }

    private sealed record Failure(DateTimeOffset At);
}
