namespace Gateway.Server.Records.Audit;

/// <summary>
/// The audit trail of a running gateway: entries go to every sink, and effects wait for their consent.
/// </summary>
internal sealed partial class AuditTrail : IAuditLog, IDisposable
{
    // A request whose line is not on the disk by then is refused rather than kept waiting; one that has ended is let
    // go.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly AuditOptions _options;
    private readonly AuditPump[] _pumps;

    public AuditTrail(
        AuditOptions options, IEnumerable<IAuditSink> sinks, TimeProvider time, ILogger<AuditTrail> logger)
    {
        _options = options;
        _pumps = [.. sinks.Select(sink => new AuditPump(sink, options, time, logger))];
        if (_pumps.Length == 0)
        {
            Log.IsOff(logger);
        }
    }

    /// <summary>Whether there is a trail at all.</summary>
    public bool IsOn => _pumps.Length > 0;

    /// <summary>Whether a line of its own is written before each effect.</summary>
    public bool WriteAhead => _options.WriteAhead && IsOn;

    /// <summary>How many lines were lost for good, over all sinks.</summary>
    public long Lost => _pumps.Sum(static pump => pump.Lost);

    /// <summary>Whether some sink cannot be written to.</summary>
    public bool IsFailing
    {
        get
        {
            foreach (var pump in _pumps)
            {
                if (pump.IsFailing)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Whether nothing may happen, since it could not be recorded.</summary>
    public bool IsBlocked =>
        _options.OnFailure == AuditFailureMode.Block && (IsFailing || _pumps.Any(static pump => pump.IsFull));

    /// <summary>Has every sink accept a request's line before the effect that it will tell of.</summary>
    /// <returns>Whether the effect may happen; if so, there is room for the line at the end.</returns>
    public ValueTask<bool> AdmitAsync(AuditedRequest audited, HttpContext context)
    {
        var blocks = _options.OnFailure == AuditFailureMode.Block;
        var held = 0u;
        for (var i = 0; i < _pumps.Length; i++)
        {
            if (_pumps[i].TryReserve())
            {
                held |= 1u << i;
            }
            else if (blocks)
            {
                Release(held);
                return new ValueTask<bool>(false);
            }
        }

        audited.Place = new AuditPlace(held);
        return WriteAhead ? WriteAheadAsync(audited, context, blocks) : new ValueTask<bool>(true);
    }

    /// <summary>Hands over the line at a request's end.</summary>
    /// <returns>Ends when it is with the system, or soon where it cannot be written.</returns>
    public ValueTask CompleteAsync(AuditEntry entry, AuditPlace place)
    {
        Task? last = null;
        for (var i = 0; i < _pumps.Length; i++)
        {
            _pumps[i].Add(entry, (place.Held & (1u << i)) != 0, awaits: true, out var done);
            last = last is null or { IsCompleted: true } ? done : done.IsCompleted ? last : Task.WhenAll(last, done);
        }

        return last is null or { IsCompletedSuccessfully: true }
            ? ValueTask.CompletedTask
            : new ValueTask(WaitAsync(last));
    }

    /// <inheritdoc/>
    public void Record(AuditEntry entry)
    {
        foreach (var pump in _pumps)
        {
            pump.Add(entry, isPromised: false, awaits: false, out _);
        }
    }

    /// <summary>Has every sink open anew what it writes to.</summary>
    public void Reopen()
    {
        foreach (var pump in _pumps)
        {
            pump.Reopen();
        }
    }

    /// <summary>Writes what waits.</summary>
    public void Dispose()
    {
        foreach (var pump in _pumps)
        {
            pump.Dispose();
        }
    }

    private static async Task WaitAsync(Task written)
    {
        try
        {
            await written.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            // It is written when the sink goes on; the trail is failing by then, and lets nobody else through.
        }
    }

    private async ValueTask<bool> WriteAheadAsync(AuditedRequest audited, HttpContext context, bool blocks)
    {
        var entry = audited.Begin(context);
        var all = true;
        var writes = new Task<bool>[_pumps.Length];
        for (var i = 0; i < _pumps.Length; i++)
        {
            _pumps[i].Add(entry, isPromised: false, awaits: true, out writes[i]);
        }

        foreach (var write in writes)
        {
            try
            {
                all &= await write.WaitAsync(Patience, context.RequestAborted);
            }
            catch (TimeoutException)
            {
                all = false;
            }
        }

        return all || !blocks; // the place is kept either way: a line at the end follows
    }

    private void Release(uint held)
    {
        for (var i = 0; i < _pumps.Length; i++)
        {
            if ((held & (1u << i)) != 0)
            {
                _pumps[i].Release();
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1500, LogLevel.Warning,
            "There is no audit trail: audit.enabled is false. The gateway serves requests without one.")]
        public static partial void IsOff(ILogger logger);
    }
}

/// <summary>Places held for one line, a bit a sink.</summary>
internal readonly record struct AuditPlace(uint Held);
