namespace Gateway.Audit;

/// <summary>
/// Brings entries to one sink: a bounded queue, and one thread that writes what has gathered in one go.
/// </summary>
/// <remarks>
/// While the sink fails, what waits is kept and tried again, so an outage costs lines only beyond the queue's bound;
/// these are counted, and an <see cref="OutageEntry"/> tells of them. Whoever was let through holds a place in the queue
/// for its line, so that line is never the one that is lost.
/// </remarks>
internal sealed partial class AuditPump : IDisposable
{
    /// <summary>The most lines that wait or are still to come for requests under way; some 20 MB.</summary>
    public const int Capacity = 20_000;

    private const int LargestBatch = 1_000;
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>A write that takes longer is an outage: a network file system that hangs, a reader of stdout that stopped.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly IAuditSink _sink;
    private readonly bool _durable;
    private readonly AuditFailureMode _onFailure;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly int _capacity;
    private readonly Lock _lock = new();
    private readonly AutoResetEvent _signal = new(false);
    private readonly Thread _thread;
    private List<AuditEntry> _pending = [];
    private TaskCompletionSource<bool>? _waiting; // completed when all that is pending now was tried
    private int _places; // lines pending, being written, or promised
    private long _lost, _lostBefore;
    private DateTimeOffset _lostFrom, _lostUntil;
    private long _writingSince;
    private volatile bool _isFailing;
    private volatile bool _stops;

    public AuditPump(
        IAuditSink sink, AuditOptions options, TimeProvider time, ILogger logger, int capacity = Capacity)
    {
        (_sink, _durable, _onFailure) = (sink, options.WriteAhead, options.OnFailure);
        (_time, _logger, _capacity) = (time, logger, capacity);
        _thread = new Thread(Run) { IsBackground = true, Name = "audit " + sink.Name };
        _thread.Start();
    }

    /// <summary>Whether lines cannot be written at present.</summary>
    public bool IsFailing => _isFailing
        || (Interlocked.Read(ref _writingSince) is var since and not 0 && _time.GetElapsedTime(since) > Patience);

    /// <summary>How many lines were lost for good since the start.</summary>
    public long Lost => Interlocked.Read(ref _lost) + Interlocked.Read(ref _lostBefore);

    /// <summary>Promises a place for a line that will come.</summary>
    /// <returns><see langword="false"/> where lines cannot be written, or too many wait.</returns>
    public bool TryReserve()
    {
        lock (_lock)
        {
            if (IsFailing || _places >= _capacity)
            {
                return false;
            }

            _places++;
            return true;
        }
    }

    /// <summary>Gives a promised place back; no line will come.</summary>
    public void Release()
    {
        lock (_lock)
        {
            _places--;
        }
    }

    /// <summary>Hands an entry over.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="isPromised">Whether a place is held for it.</param>
    /// <param name="done">When it was written (true) or could not be yet (false); asked for by <paramref name="awaits"/>.</param>
    /// <param name="awaits">Whether the caller waits for it.</param>
    public void Add(AuditEntry entry, bool isPromised, bool awaits, out Task<bool> done)
    {
        done = Task.FromResult(false);
        lock (_lock)
        {
            if (_stops)
            {
                return;
            }

            if (!isPromised && _places >= _capacity)
            {
                Lose(entry);
                return;
            }

            _places += isPromised ? 0 : 1;
            _pending.Add(entry);
            if (awaits && !IsFailing)
            {
                _waiting ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                done = _waiting.Task;
            }

            _signal.Set();
        }
    }

    /// <summary>Has the sink open anew what it writes to.</summary>
    public void Reopen()
    {
        _sink.Reopen();
    }

    /// <summary>Writes what waits, if that goes within a moment, and ends.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_stops)
            {
                return;
            }

            _stops = true;
            _signal.Set();
        }

        if (_thread.Join(Patience))
        {
            _sink.Dispose();
            _signal.Dispose();
        }
    }

    private void Lose(AuditEntry entry)
    {
        _lostFrom = _lost == 0 ? entry.Time : _lostFrom;
        _lostUntil = entry.Time;
        Interlocked.Increment(ref _lost);
    }

    private void Run()
    {
        var unwritten = new List<AuditEntry>();
        DateTimeOffset? failedAt = null;
        while (true)
        {
            TaskCompletionSource<bool>? waiting = null;
            if (unwritten.Count == 0)
            {
                Take(ref unwritten, out waiting);
            }

            if (unwritten.Count == 0)
            {
                if (_stops)
                {
                    return;
                }

                _signal.WaitOne();
                continue;
            }

            var written = TryWrite(unwritten, failedAt, out var problem);
            if (written)
            {
                failedAt = null;
                unwritten.Clear();
            }
            else if (failedAt is null)
            {
                failedAt = _time.GetUtcNow();
                LogFailure(problem);
            }

            waiting?.SetResult(written);
            if (!written)
            {
                FailWaiters();
                if (_stops)
                {
                    Log.LostAtEnd(_logger, _sink.Name, unwritten.Count + _pending.Count);
                    return;
                }

                Thread.Sleep(RetryInterval);
            }
        }
    }

    private void Take(ref List<AuditEntry> batch, out TaskCompletionSource<bool>? waiting)
    {
        lock (_lock)
        {
            waiting = null;
            if (_pending.Count <= LargestBatch)
            {
                (batch, _pending) = (_pending, batch);
                (waiting, _waiting) = (_waiting, null);
            }
            else
            {
                batch.AddRange(_pending.Take(LargestBatch));
                _pending.RemoveRange(0, LargestBatch);
            }
        }
    }

    // Who came while the sink failed is told so now, rather than after the outage.
    private void FailWaiters()
    {
        TaskCompletionSource<bool>? waiting;
        lock (_lock)
        {
            (waiting, _waiting) = (_waiting, null);
        }

        waiting?.SetResult(false);
    }

    private bool TryWrite(List<AuditEntry> batch, DateTimeOffset? failedAt, out string problem)
    {
        problem = "";
        var (lost, lostFrom, lostUntil) = TakeLost();
        var outage = failedAt is { } since || lost > 0
            ? new OutageEntry(_time.GetUtcNow())
            {
                Sink = _sink.Name,
                Since = failedAt ?? lostFrom,
                Lost = lost,
                LostFrom = lostFrom,
                LostUntil = lostUntil,
                Mode = _onFailure,
            }
            : null;
        try
        {
            Interlocked.Exchange(ref _writingSince, Math.Max(1, _time.GetTimestamp()));
            _sink.Write(outage is null ? batch : [outage, .. batch], _durable);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            ReturnLost(lost, lostFrom, lostUntil);
            _sink.Reopen(); // what is mended may be another file, or another disk, under the same name
            _isFailing = true;
            problem = exception.Message;
            return false;
        }
        finally
        {
            Interlocked.Exchange(ref _writingSince, 0);
        }

        lock (_lock)
        {
            _places -= batch.Count;
            _lostBefore += lost;
        }

        if (_isFailing)
        {
            _isFailing = false;
            Log.Recovered(_logger, _sink.Name, lost);
        }

        return true;
    }

    private (long Lost, DateTimeOffset From, DateTimeOffset Until) TakeLost()
    {
        lock (_lock)
        {
            return (Interlocked.Exchange(ref _lost, 0), _lostFrom, _lostUntil);
        }
    }

    private void ReturnLost(long lost, DateTimeOffset from, DateTimeOffset until)
    {
        lock (_lock)
        {
            if (lost > 0)
            {
                _lostUntil = _lost == 0 ? until : _lostUntil;
                _lostFrom = from;
                _lost += lost;
            }
        }
    }

    private void LogFailure(string problem)
    {
        if (_onFailure == AuditFailureMode.Block)
        {
            Log.Blocked(_logger, _sink.Name, problem);
        }
        else
        {
            Log.Dropping(_logger, _sink.Name, problem);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1501, LogLevel.Error,
            "Audit lines cannot be written to the {Sink}: {Problem}. Requests are answered 503 until they can; health is "
            + "still answered.")]
        public static partial void Blocked(ILogger logger, string sink, string problem);

        [LoggerMessage(1502, LogLevel.Error,
            "Audit lines cannot be written to the {Sink}: {Problem}. Requests go on, as audit.onFailure says; lines that "
            + "get lost are counted.")]
        public static partial void Dropping(ILogger logger, string sink, string problem);

        [LoggerMessage(1503, LogLevel.Warning, "Audit lines are written to the {Sink} again; {Lost} were lost.")]
        public static partial void Recovered(ILogger logger, string sink, long lost);

        [LoggerMessage(1504, LogLevel.Error,
            "The gateway ends, and {Count} audit lines could not be written to the {Sink}.")]
        public static partial void LostAtEnd(ILogger logger, string sink, int count);
    }
}
