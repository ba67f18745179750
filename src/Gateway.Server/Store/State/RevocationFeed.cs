using System.Collections.Concurrent;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.State;

/// <summary>
/// Reads what was revoked, and who is blocked, twice a second, and at once where the store tells of it.
/// </summary>
/// <remarks>
/// Polling is what is relied on; messages only make it quicker. A feed that could not read for a second says so
/// (<see cref="IsCurrent"/>), and nothing that it does not know for sure is served from memory then.
/// </remarks>
internal sealed partial class RevocationFeed : BackgroundService, IRevocations, IHealthPart
{
    /// <summary>
    /// How long a revocation is kept here. Longer than any access token can be good for: a lifetime of an hour and an
    /// upload window of 24 hours, and an hour for clocks that differ. After that the store's own record of the
    /// credential is what refuses it.
    /// </summary>
    public static readonly TimeSpan Kept = TimeSpan.FromHours(26);

    /// <summary>How old what is known may be.</summary>
    public static readonly TimeSpan CurrentFor = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ClockDifference = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RetryKeeping = TimeSpan.FromSeconds(5);

    // A backup may hold the state folder's lock for minutes, and revocations must be read meanwhile.
    private static readonly TimeSpan FolderPatience = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<string, Ending> _credentials = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> _subjects = new();
    private readonly SemaphoreSlim _reading = new(1);
    private readonly ICredentialStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly int _capacity;
    private readonly BlockFile? _blockFile;
    private SubjectBlocks _blocks;
    private SubjectBlocks? _stored; // what the store is known to hold
    private SubjectBlocks? _filed; // and the file
    private string _blocksVersion = "";
    private long _keptDownAt;
    private bool _isKeepingDown;
    private long _position;
    private long _version;
    private long _readAt;
    private long _floorTicks;
    private DateTimeOffset _sweepAt;
    private int _requested;
    private volatile bool _hasRead;
    private volatile bool _isDown;

    /// <param name="store">The store itself.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told when the store becomes unavailable, and when it has recovered.</param>
    /// <param name="blockFile">
    /// Where blocks are kept beside the store; read now, so that they are in force before the store answers.
    /// </param>
    /// <param name="capacity">How many revocations are kept at most, some 30 MB.</param>
    /// <exception cref="ProblemException">The file is there and cannot be understood.</exception>
    public RevocationFeed(
        ICredentialStore store,
        TimeProvider time,
        ILogger<RevocationFeed> logger,
        BlockFile? blockFile = null,
        int capacity = 200_000)
    {
        _store = store;
        _time = time;
        _logger = logger;
        _blockFile = blockFile;
        _filed = blockFile?.Read();
        _blocks = _filed ?? SubjectBlocks.None;
        _capacity = capacity;
        store.Changed += ReadSoon;
    }

    /// <summary>
    /// Raised for each change, after it is known here and before <see cref="IsCurrent"/> counts on it.
    /// </summary>
    public event Action<CredentialChange>? Applied;

    /// <summary>Rises with every change, before <see cref="Applied"/> is raised for it.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <inheritdoc/>
    // Monotonic: setting the wall clock back must not make old knowledge current.
    public bool IsCurrent => _hasRead && _time.GetElapsedTime(Volatile.Read(ref _readAt)) < CurrentFor;

    /// <inheritdoc/>
    public bool HasRead => _hasRead;

    /// <inheritdoc/>
    public bool KnowsBlocks => _hasRead || Volatile.Read(ref _filed) is not null;

    /// <summary>
    /// Whether the last reading failed: the store is unavailable, and asking it again would only cost the wait.
    /// </summary>
    public bool IsDown => _isDown;

    /// <inheritdoc/>
    public string Name => "state";

    /// <inheritdoc/>
    public bool IsUp => IsCurrent;

    /// <inheritdoc/>
    public SubjectBlock? FindBlock(Subject subject) => Volatile.Read(ref _blocks).Find(subject, _time);

    /// <inheritdoc/>
    public bool IsRevoked(string credentialId) =>
        _credentials.TryGetValue(credentialId, out var ending) && ending.From <= _time.GetUtcNow();

    /// <inheritdoc/>
    public bool IsRevoked(Subject subject, DateTimeOffset issuedAt) =>
        issuedAt.UtcTicks <= Volatile.Read(ref _floorTicks)
        || (!_subjects.IsEmpty && _subjects.TryGetValue(subject.ToString(), out var until) && issuedAt <= until);

    /// <summary>Reads the store's changes now. What was written before the call is known after it.</summary>
    /// <returns><see langword="false"/> where the store could not be read; that is logged.</returns>
    public async Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            Volatile.Write(ref _requested, 0); // a change from here on needs another reading
            long startedAt;
            ChangePage page;
            do
            {
                startedAt = _time.GetTimestamp();
                // Sent together: nearly always there is nothing new, and a round trip is what it costs. Changes that
                // were given are taken at once, also where the blocks are late or cannot be read.
                var changes = _store.ReadChangesAsync(_position, cancellationToken);
                var blocks = ReadBlocksAsync(cancellationToken);
                await ((Task)changes).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (changes.IsCompletedSuccessfully)
                {
                    Apply(await changes);
                }

                await ((Task)blocks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                page = await changes;
                await ApplyBlocksAsync(await blocks, cancellationToken);
            }
            while (page.Changes.Count > 0); // until there is none left, since pages have a limit

            Volatile.Write(ref _readAt, startedAt); // what happened while it was read may be missing
            _hasRead = true;
            Sweep();
            if (_isDown)
            {
                _isDown = false;
                Log.Back(_logger);
            }

            return true;
        }
        catch (Exception exception)
            when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Whatever it is: one that ended this loop would end the gateway, and what cannot be read is not known.
            if (!_isDown)
            {
                _isDown = true;
                Log.Down(_logger, exception is StateException
                    ? exception.Message
                    : $"The token store cannot be read: {LogText.OneLine(exception.Message).TrimEnd('.')}.");
            }

            return false;
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ReadAsync(
            cancellationToken); // before the first request; a store that is unavailable does not stop the start
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _store.Changed -= ReadSoon;
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var pulse = Pulse.Listen(_time); ;)
        {
            // A store that did not answer is asked sooner, since what is known is about to be too old.
            await (_isDown ? Task.Delay(RetryInterval, _time, stoppingToken) : pulse.WaitAsync(stoppingToken));
            await ReadAsync(stoppingToken);
        }
    }

    private void ReadSoon()
    {
        if (Interlocked.Exchange(ref _requested, 1) == 0)
        {
            _ = Task.Run(() => ReadAsync(CancellationToken.None));
        }
    }

    private void Apply(ChangePage page)
    {
        if (page.Changes.Count > 0)
        {
            Interlocked.Increment(ref _version); // first: see CredentialDirectory
        }

        var now = _time.GetUtcNow();
        foreach (var change in page.Changes)
        {
            var keepUntil = change.At + Kept;
            if (keepUntil > now)
            {
                Remember(change, keepUntil);
            }

            Applied?.Invoke(change);
        }

        if (_credentials.Count + _subjects.Count > _capacity)
        {
            // Forgetting single ones would let revoked tokens in. So all tokens issued until now are refused instead;
            // clients fetch new ones, for which the store is asked.
            Volatile.Write(ref _floorTicks, now.UtcTicks);
            _credentials.Clear();
            _subjects.Clear();
            Log.Full(_logger, _capacity);
        }

        _position = page.Position; // last: what failed half-way is read again
    }

    private void Remember(CredentialChange change, DateTimeOffset keepUntil)
    {
        switch (change.Kind)
        {
            case CredentialChangeKind.Revoked:
                // From ever, not from the time written: another replica's clock may be ahead.
                _credentials[change.Key] = new Ending(DateTimeOffset.MinValue, keepUntil);
                break;
            case CredentialChangeKind.Shortened:
                // Access tokens issued before know the later end only.
                _credentials[change.Key] = new Ending(change.At, keepUntil);
                break;
            default:
                // By the later of two clocks: the revoker's may be behind that of who issued a token a moment ago.
                var now = _time.GetUtcNow();
                var until = (now - change.At).Duration() < ClockDifference && now > change.At ? now : change.At;
                _subjects.AddOrUpdate(
                    change.Key, static (_, at) => at, static (_, old, at) => at > old ? at : old, until);
                break;
        }
    }

    // Async: what it throws is told by its task, also where the store throws at once.
    private async Task<BlockPage> ReadBlocksAsync(CancellationToken cancellationToken) =>
        await _store.ReadBlocksAsync(_blocksVersion, cancellationToken);

    // What this machine knows is never taken back by a store that knows less: it was emptied, or an older one was put
    // in its place. It gets back what it lacks; a lifted block is a record too, so one that was lifted does not return
    // by that.
    private async Task ApplyBlocksAsync(BlockPage page, CancellationToken cancellationToken)
    {
        if (page.Blocks is not null)
        {
            var stored = SubjectBlocks.None.With(page.Blocks);
            Volatile.Write(ref _blocks, _blocks.With(page.Blocks)); // in force before anything else can fail
            (_stored, _blocksVersion) = (stored, page.Version);
        }

        if ((_blockFile is null || ReferenceEquals(_blocks, _filed)) && ReferenceEquals(_blocks, _stored))
        {
            return;
        }

        if (!_isKeepingDown || _time.GetElapsedTime(_keptDownAt) >= RetryKeeping)
        {
            await KeepBlocksAsync(cancellationToken);
        }
    }

    private async Task KeepBlocksAsync(CancellationToken cancellationToken)
    {
        try
        {
            var missing = _blocks.Beyond(_stored!);
            foreach (var block in missing)
            {
                await _store.WriteBlockAsync(block, cancellationToken);
            }

            if (missing.Count > 0)
            {
                Log.BlocksWrittenBack(
                    _logger, string.Join(", ", missing.Take(10).Select(static one => one.Subject)), missing.Count);
            }

            _stored = _blocks;
            if (_blockFile is not null && !ReferenceEquals(_blocks, _filed))
            {
                var merged = _blockFile.Merge(_blocks, FolderPatience);
                // a command may have written one a moment ago, which the store has too
                Volatile.Write(ref _blocks, merged);
                Volatile.Write(ref _filed, merged);
            }

            _isKeepingDown = false;
        }
        catch (Exception exception) when (exception is ProblemException or StateException)
        {
            // They are in force here, and tried again. That they are kept nowhere else is no reason to refuse tokens.
            if (!_isKeepingDown)
            {
                Log.BlocksNotKept(_logger, LogText.OneLine(exception.Message));
            }

            (_isKeepingDown, _keptDownAt) = (true, _time.GetTimestamp());
        }
    }

    private void Sweep()
    {
        var now = _time.GetUtcNow();
        if (now < _sweepAt)
        {
            return;
        }

        _sweepAt = now + TimeSpan.FromMinutes(10);
        foreach (var entry in _credentials)
        {
            if (entry.Value.KeepUntil < now)
            {
                _credentials.TryRemove(entry);
            }
        }

        foreach (var entry in _subjects)
        {
            if (entry.Value + Kept < now)
            {
                _subjects.TryRemove(entry);
            }
        }
    }

    private readonly record struct Ending(DateTimeOffset From, DateTimeOffset KeepUntil);

    private static partial class Log
    {
        [LoggerMessage(1133, LogLevel.Error,
            "{Problem} Until it recovers, personal, robot and refresh tokens are answered 503, since a "
            + "revocation could be unknown; passwords and known revocations still work.")]
        public static partial void Down(ILogger logger, string problem);

        [LoggerMessage(1134, LogLevel.Information, "The token store has recovered.")]
        public static partial void Back(ILogger logger);

        [LoggerMessage(1136, LogLevel.Warning,
            "The store had lost blocks that this gateway knows ({Count}: {Subjects}): it was emptied, or replaced with "
            + "an older one. They stayed in force and are in the store again; tokens that were revoked meanwhile may "
            + "be valid again.")]
        public static partial void BlocksWrittenBack(ILogger logger, string subjects, int count);

        [LoggerMessage(1137, LogLevel.Error,
            "Blocks are in force, but could not be saved in every place; the gateway tries again: {Problem}")]
        public static partial void BlocksNotKept(ILogger logger, string problem);

        [LoggerMessage(1135, LogLevel.Warning,
            "More than {Capacity} revocations within a day: access tokens issued until now are refused, and clients "
                + "fetch new ones.")]
        public static partial void Full(ILogger logger, int capacity);
    }
}
