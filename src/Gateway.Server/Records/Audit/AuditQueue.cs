namespace Gateway.Server.Records.Audit;

/// <summary>
/// The lines that wait for a sink, and whose turn it is to write them: one at a time. For any thread.
/// </summary>
/// <remarks>
/// A request that was admitted holds a place for its line, so that line is never the one that is lost. A turn that
/// could not be written is the next one's again.
/// </remarks>
/// <param name="sink">How the sink is.</param>
/// <param name="capacity">The most lines that wait, those with a place left out.</param>
internal sealed class AuditQueue(SinkState sink, int capacity) : IDisposable
{
    // Requests under way cost no memory here, and many slow ones must not keep all others out.
    private const int PlacesForRequests = 5;

    private const int LargestBatch = 1_000;

    private static readonly TimeSpan LongestGathering = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    // set with the lock held, so that nobody sets it after the end
    private readonly AutoResetEvent _signal = new(false);
    private readonly LostLines _lost = new();
    private List<AuditEntry> _pending = [];
    private List<AuditEntry> _batch = []; // of the turn, and of the next one where it could not be written
    private TaskCompletionSource<bool>? _waiting; // completed when all that is pending now was tried
    private int _lines; // pending or being written
    private int _places; // those, and the promised ones
    private bool _isWriting; // whether it is somebody's turn
    private bool _isGathering; // whether a turn will be taken by who was asked to, and lines gather until then
    private bool _isClosed;

    /// <summary>Whether a line without a place would be lost.</summary>
    public bool IsFull
    {
        get
        {
            lock (_lock)
            {
                return _lines >= capacity;
            }
        }
    }

    /// <summary>Whether no more lines are taken.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_lock)
            {
                return _isClosed;
            }
        }
    }

    /// <summary>Whether no more lines are taken, and all that were have been written.</summary>
    public bool IsDone
    {
        get
        {
            lock (_lock)
            {
                return _isClosed && !_isWriting && _batch.Count + _pending.Count == 0;
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

    /// <summary>How many lines were not written: lost, or still waiting.</summary>
    public long Unwritten
    {
        get
        {
            lock (_lock)
            {
                return _batch.Count + _pending.Count + _lost.Total;
            }
        }
    }

    /// <summary>Promises a place for a line that will come.</summary>
    /// <returns>
    /// <see langword="false"/> where lines cannot be written, too many are promised, or no more are taken.
    /// </returns>
    public bool TryReserve()
    {
        lock (_lock)
        {
            if (_isClosed || sink.IsFailing || _places >= PlacesForRequests * capacity)
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

    /// <summary>Takes a line, or counts it as lost, and wakes who writes.</summary>
    /// <param name="entry">The line.</param>
    /// <param name="isPromised">Whether a place is held for it.</param>
    /// <param name="waits">What the caller does until it is written; nobody waits while the sink fails.</param>
    /// <param name="turn">The turn, where the caller may write, and it is nobody else's.</param>
    /// <param name="gathers">Whether the caller must have <see cref="TakeGathered"/> called a moment later.</param>
    /// <returns>
    /// When the line was written (true) or could not be yet (false), where the caller waits for somebody else, also
    /// after a turn that older lines have filled; else <see langword="null"/>.
    /// </returns>
    public Task<bool>? Add(
        AuditEntry entry, bool isPromised, AuditWait waits, out AuditTurn? turn, out bool gathers)
    {
        (turn, gathers) = (null, false);
        lock (_lock)
        {
            if (_isClosed || (!isPromised && _lines >= capacity))
            {
                _lost.Add(entry.Time);
                return null;
            }

            _lines++;
            _places += isPromised ? 0 : 1;
            _pending.Add(entry);
            var mayWait = waits != AuditWait.Nothing && !sink.IsFailing;
            if (mayWait && waits == AuditWait.Gathers && _places > _lines)
            {
                gathers = TryGather_NeedsLock();
            }
            else if (mayWait && waits != AuditWait.ForWriter)
            {
                turn = TakeTurn_NeedsLock();
            }

            if (!_isWriting && !_isGathering)
            {
                _signal.Set(); // else who writes does so at the end of the turn
            }

            if (!mayWait || (turn is not null && _pending.Count == 0))
            {
                return null;
            }

            _waiting ??= new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiting.Task;
        }
    }

    /// <summary>Begins a turn.</summary>
    /// <returns><see langword="null"/> where it is somebody else's, or nothing waits.</returns>
    public AuditTurn? TakeTurn()
    {
        lock (_lock)
        {
            return TakeTurn_NeedsLock();
        }
    }

    /// <summary>Begins the turn for which lines have gathered.</summary>
    /// <returns><see langword="null"/> where it is somebody else's, or nothing waits any more.</returns>
    public AuditTurn? TakeGathered()
    {
        lock (_lock)
        {
            _isGathering = false;
            return TakeTurn_NeedsLock();
        }
    }

    /// <summary>Ends a turn, and tells who waits how it went. Every holder of a turn must call this.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="isWritten">Whether its lines were written.</param>
    /// <param name="mayGather">Whether those who hand lines over may write them.</param>
    /// <returns>Whether the caller must have <see cref="TakeGathered"/> called a moment later.</returns>
    public bool EndTurn(AuditTurn turn, bool isWritten, bool mayGather)
    {
        var gathers = false;
        TaskCompletionSource<bool>? late = null;
        lock (_lock)
        {
            if (isWritten)
            {
                _lines -= _batch.Count;
                _places -= _batch.Count;
                _batch.Clear();
            }
            else
            {
                _lost.PutBack(turn.Lost);
                (late, _waiting) = (_waiting, null); // who came meanwhile is told so now, rather than after the outage
            }

            _isWriting = false;
            if (!isWritten || _isClosed || (_pending.Count > 0 && !mayGather))
            {
                _signal.Set();
            }
            else if (_pending.Count > 0)
            {
                gathers = TryGather_NeedsLock();
            }
        }

        turn.Waiting?.SetResult(isWritten);
        late?.SetResult(false);
        return gathers;
    }

    /// <summary>Waits until there may be something to write, or the end.</summary>
    /// <remarks>
    /// Looks by itself now and then: where every thread of the pool is blocked, who was asked to take a turn does not
    /// come, and nobody signals.
    /// </remarks>
    public void WaitForLines() => _signal.WaitOne(LongestGathering);

    /// <summary>Takes no more lines.</summary>
    /// <returns><see langword="false"/> where that was so already.</returns>
    public bool TryClose()
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return false;
            }

            _isClosed = true;
            _signal.Set();
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _signal.Dispose();

    // Not where somebody writes: that turn's end asks again.
    private bool TryGather_NeedsLock()
    {
        if (_isWriting || _isGathering)
        {
            return false;
        }

        _isGathering = true;
        return true;
    }

    private AuditTurn? TakeTurn_NeedsLock()
    {
        if (_isWriting)
        {
            return null;
        }

        TaskCompletionSource<bool>? waiting = null;
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

        _isWriting = _batch.Count > 0;
        return _isWriting ? new AuditTurn(_batch, _lost.Take(), waiting) : null;
    }
}

/// <summary>What hands a line over does until the line is written.</summary>
internal enum AuditWait
{
    /// <summary>Goes on.</summary>
    Nothing,

    /// <summary>Waits.</summary>
    ForWriter,

    /// <summary>Waits, or writes itself where nobody else does.</summary>
    OrWrites,

    /// <summary>
    /// The same; but where other requests are running, somebody writes a moment later, and their lines with it.
    /// </summary>
    Gathers,
}

/// <summary>A turn at writing.</summary>
/// <param name="Batch">The lines; whose turn it is has them.</param>
/// <param name="Lost">The lost lines of which no line tells yet.</param>
/// <param name="Waiting">Who waits for it.</param>
internal readonly record struct AuditTurn(
    IReadOnlyList<AuditEntry> Batch, LostSpan Lost, TaskCompletionSource<bool>? Waiting);
