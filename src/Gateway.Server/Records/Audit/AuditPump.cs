namespace Gateway.Server.Records.Audit;

/// <summary>
/// Brings entries to one sink: a bounded queue, and one writer at a time that writes what has gathered in one go. That is
/// the thread, or a request that waits for its line and ends while nobody else writes: to wake the thread and be woken by
/// it would cost more than the writing (docs/benchmarks.md). With lines on the disk it is the thread alone, so that many
/// share one wait for the disk.
/// </summary>
/// <remarks>
/// While the sink fails, what waits is kept and tried again, so an outage costs lines only beyond the queue's bound;
/// these are counted, and an <see cref="OutageEntry"/> tells of them. Whoever was let through holds a place in the queue
/// for its line, so that line is never the one that is lost.
/// </remarks>
internal sealed partial class AuditPump : IDisposable
{
    /// <summary>The most lines that wait; some 20 MB.</summary>
    public const int Capacity = 20_000;

    // Requests under way cost no memory here, and many slow ones must not keep all others out.
    private const int PlacesForRequests = 5;

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
    private readonly LostLines _lost = new();
    private List<AuditEntry> _pending = [];
    private TaskCompletionSource<bool>? _waiting; // completed when all that is pending now was tried
    private int _lines; // pending or being written
    private int _places; // those, and the promised ones
    private List<AuditEntry> _batch = []; // whose turn it is has it, and _failedAt
    private DateTimeOffset? _failedAt;
    private bool _isWriting; // whether it is somebody's turn
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

    /// <summary>Whether a line without a place would be lost.</summary>
    public bool IsFull
    {
        get
        {
            lock (_lock)
            {
                return _lines >= _capacity || !_sink.HasRoom;
            }
        }
    }

    /// <summary>How many lines were lost for good since the start.</summary>
    public long Lost
    {
        get
        {
            lock (_lock)
            {
                return _lost.Total;
            }
        }
    }

    /// <summary>Promises a place for a line that will come.</summary>
    /// <returns><see langword="false"/> where lines cannot be written, or too many wait.</returns>
    public bool TryReserve()
    {
        lock (_lock)
        {
            if (_stops || IsFailing || _places >= PlacesForRequests * _capacity || !_sink.HasRoom)
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
        var isMyTurn = false;
        TaskCompletionSource<bool>? waiting = null;
        lock (_lock)
        {
            if (_stops || (!isPromised && _lines >= _capacity))
            {
                _lost.Add(entry.Time);
                return;
            }

            _lines++;
            _places += isPromised ? 0 : 1;
            _pending.Add(entry);
            if (awaits && !IsFailing)
            {
                isMyTurn = !_durable && TryTakeTurn(out waiting);
                if (!isMyTurn)
                {
                    _waiting ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                    done = _waiting.Task;
                }
            }

            if (!_isWriting)
            {
                _signal.Set(); // else who writes does so when he is done
            }
        }

        if (isMyTurn)
        {
            done = Task.FromResult(Write(waiting));
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

    private void Run()
    {
        while (true)
        {
            if (TryTakeTurn(out var waiting))
            {
                if (!Write(waiting))
                {
                    if (_stops)
                    {
                        Log.LostAtEnd(_logger, _sink.Name, _batch.Count + _pending.Count + Lost);
                        return;
                    }

                    Thread.Sleep(RetryInterval);
                }
            }
            else if (_stops && IsIdle())
            {
                return;
            }
            else
            {
                _signal.WaitOne();
            }
        }
    }

    private bool IsIdle()
    {
        lock (_lock)
        {
            return !_isWriting && _batch.Count + _pending.Count == 0;
        }
    }

    private bool TryTakeTurn(out TaskCompletionSource<bool>? waiting)
    {
        lock (_lock)
        {
            waiting = null;
            if (_isWriting)
            {
                return false;
            }

            if (_batch.Count > 0)
            {
                // what could not be written yet comes first
            }
            else if (_pending.Count <= LargestBatch)
            {
                (_batch, _pending) = (_pending, _batch);
                (waiting, _waiting) = (_waiting, null);
            }
            else
            {
                _batch.AddRange(_pending.Take(LargestBatch));
                _pending.RemoveRange(0, LargestBatch);
            }

            return _isWriting = _batch.Count > 0;
        }
    }

    // Whose turn it is writes, and gives the turn back.
    private bool Write(TaskCompletionSource<bool>? waiting)
    {
        var written = TryWrite(_batch);
        if (written)
        {
            _batch.Clear();
        }

        lock (_lock)
        {
            _isWriting = false;
            if (!written || _stops || _pending.Count > 0)
            {
                _signal.Set();
            }
        }

        waiting?.SetResult(written);
        if (!written)
        {
            FailWaiters();
        }

        return written;
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

    private bool TryWrite(List<AuditEntry> batch)
    {
        LostSpan lost;
        lock (_lock)
        {
            lost = _lost.Take();
        }

        var outage = _failedAt is not null || lost.Count > 0
            ? new OutageEntry(_time.GetUtcNow())
            {
                Sink = _sink.Name,
                Since = _failedAt ?? lost.From,
                Lost = lost.Count,
                LostFrom = lost.From,
                LostUntil = lost.Until,
                Mode = _onFailure,
            }
            : null;
        try
        {
            Interlocked.Exchange(ref _writingSince, Math.Max(1, _time.GetTimestamp()));
            _sink.Write(outage is null ? batch : [outage, .. batch], _durable);
        }
        catch (Exception exception)
        {
            // Whatever it is: a pump that ended with it would keep everybody waiting for good.
            _sink.Reopen(); // what is mended may be another file, or another disk, under the same name
            _isFailing = true;
            lock (_lock)
            {
                _lost.PutBack(lost);
            }

            if (_failedAt is null)
            {
                _failedAt = _time.GetUtcNow();
                LogFailure(exception.Message);
            }

            return false;
        }
        finally
        {
            Interlocked.Exchange(ref _writingSince, 0);
        }

        lock (_lock)
        {
            _lines -= batch.Count;
            _places -= batch.Count;
        }

        _failedAt = null;
        if (_isFailing)
        {
            _isFailing = false;
            Log.Recovered(_logger, _sink.Name, lost.Count);
        }

        return true;
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
            "Audit lines cannot be written to the {Sink}: {Problem}. The gateway answers requests with 503 "
            + "until it can write them again, but still answers health checks.")]
        public static partial void Blocked(ILogger logger, string sink, string problem);

        [LoggerMessage(1502, LogLevel.Error,
            "Audit lines cannot be written to the {Sink}: {Problem}. The gateway keeps serving requests, since "
            + "audit.onFailure is dropAndCount, and counts the lines that are lost.")]
        public static partial void Dropping(ILogger logger, string sink, string problem);

        [LoggerMessage(1503, LogLevel.Warning, "Audit lines are written to the {Sink} again; {Lost} were lost.")]
        public static partial void Recovered(ILogger logger, string sink, long lost);

        [LoggerMessage(1504, LogLevel.Error,
            "The gateway is stopping, but {Count} audit lines could not be written to the {Sink}.")]
        public static partial void LostAtEnd(ILogger logger, string sink, long count);
    }
}
