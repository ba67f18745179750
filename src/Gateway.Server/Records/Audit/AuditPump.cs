namespace Gateway.Server.Records.Audit;

/// <summary>
/// Brings entries to one sink: a bounded queue, and one writer at a time that writes what has gathered in one go. That
/// is the thread, or a request that waits for its line and ends while nobody else writes: to wake the thread and be
/// woken by it would cost more than the writing (docs/benchmarks.md). Where other work waits for a processor, that
/// goes first, so that lines gather and share one write. With lines on the disk it is the thread alone, so that many
/// share one wait for the disk.
/// </summary>
/// <remarks>
/// While the sink fails, what waits is kept and tried again, so an outage costs lines only beyond the queue's bound;
/// these are counted, and an <see cref="OutageEntry"/> reports them. A request that was admitted holds a place in the
/// queue for its line, so that line is never the one that is lost.
/// </remarks>
internal sealed partial class AuditPump : IThreadPoolWorkItem, IDisposable
{
    /// <summary>The most lines that wait; some 20 MB.</summary>
    public const int Capacity = 20_000;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    // For the thread at the end; see also SinkState.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly Task<bool> Written = Task.FromResult(true);
    private static readonly Task<bool> NotWritten = Task.FromResult(false);

    private readonly IAuditSink _sink;
    private readonly bool _durable;
    private readonly AuditFailureMode _onFailure;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SinkState _state;
    private readonly AuditQueue _queue;
    private readonly Thread _thread;

    public AuditPump(
        IAuditSink sink, AuditOptions options, TimeProvider time, ILogger logger, int capacity = Capacity)
    {
        (_sink, _durable, _onFailure) = (sink, options.WriteAhead, options.OnFailure);
        (_time, _logger) = (time, logger);
        _state = new SinkState(time);
        _queue = new AuditQueue(_state, capacity);
        _thread = new Thread(Run) { IsBackground = true, Name = "audit " + sink.Name };
        _thread.Start();
    }

    /// <summary>Whether lines cannot be written at present.</summary>
    public bool IsFailing => _state.IsFailing;

    /// <summary>Whether a line without a place would be lost.</summary>
    public bool IsFull => _queue.IsFull || !_sink.HasRoom;

    /// <summary>How many lines were lost for good since the start.</summary>
    public long Lost => _queue.Lost;

    /// <summary>Promises a place for a line that will come.</summary>
    /// <returns><see langword="false"/> where lines cannot be written, or too many wait.</returns>
    public bool TryReserve() => !IsFailing && _sink.HasRoom && _queue.TryReserve();

    /// <summary>Gives a promised place back; no line will come.</summary>
    public void Release() => _queue.Release();

    /// <summary>Hands an entry over.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="isPromised">Whether a place is held for it.</param>
    /// <param name="done">
    /// When it was written (true) or could not be yet (false); asked for by <paramref name="awaits"/>.
    /// </param>
    /// <param name="awaits">Whether the caller waits for it.</param>
    public void Add(AuditEntry entry, bool isPromised, bool awaits, out Task<bool> done)
    {
        var waits = !awaits ? AuditWait.Nothing
            : _durable ? AuditWait.ForWriter
            : ThreadPool.PendingWorkItemCount > 0 ? AuditWait.Gathers
            : AuditWait.OrWrites;
        var waiting = _queue.Add(entry, isPromised, waits, out var mine, out var gathers);
        if (gathers)
        {
            Gather();
        }

        var isWritten = mine is { } turn && Write(turn);
        done = waiting ?? (isWritten ? Written : NotWritten);
    }

    /// <summary>Writes what has gathered, in its turn.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        if (_queue.TakeGathered() is { } turn)
        {
            Write(turn);
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
        if (_queue.TryClose() && _thread.Join(Patience))
        {
            _sink.Dispose();
            _queue.Dispose();
        }
    }

    private void Run()
    {
        while (!_queue.IsDone)
        {
            if (_queue.TakeTurn() is not { } turn)
            {
                _queue.WaitForLines();
            }
            else if (!Write(turn))
            {
                if (_queue.IsClosed)
                {
                    Log.LostAtEnd(_logger, _sink.Name, _queue.Unwritten);
                    return;
                }

                Thread.Sleep(RetryInterval);
            }
        }
    }

    // Whose turn it is writes, and gives the turn back.
    private bool Write(AuditTurn turn)
    {
        var isWritten = TryWrite(turn.Batch, turn.Lost);
        if (_queue.EndTurn(turn, isWritten, mayGather: !_durable))
        {
            Gather();
        }

        return isWritten;
    }

    // Behind all that waits for a processor: requests among it that end add their lines.
    private void Gather() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    private bool TryWrite(IReadOnlyList<AuditEntry> batch, LostSpan lost)
    {
        var outage = _state.FailedAt is not null || lost.Count > 0
            ? new OutageEntry(_time.GetUtcNow())
            {
                Sink = _sink.Name,
                Since = _state.FailedAt ?? lost.From,
                Lost = lost.Count,
                LostFrom = lost.From,
                LostUntil = lost.Until,
                Mode = _onFailure,
            }
            : null;
        try
        {
            _state.BeginWrite();
            _sink.Write(outage is null ? batch : [outage, .. batch], _durable);
        }
        catch (Exception exception)
        {
            // Whatever it is: a pump that ended with it would keep everybody waiting for good.
            _sink.Reopen(); // after a repair it may be another file, or another disk, under the same name
            if (_state.TryFail())
            {
                LogFailure(exception.Message);
            }

            return false;
        }
        finally
        {
            _state.EndWrite();
        }

        if (_state.TryRecover())
        {
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
