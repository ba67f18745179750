using System.Collections.Concurrent;
using Gateway.Foundation.Caching;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;

namespace Gateway.Server.Registry.Contents;

/// <summary>
/// What replicas tell each other of deletions, through Redis; without a Redis there is nobody to tell. While it is not
/// certain that all of it was heard, nothing is answered from memory (<see cref="EnsureCurrentAsync"/>).
/// </summary>
/// <remarks>
/// Each change has an id, which is put into Redis in the same step as it is published, together with the id before it.
/// So a missing message shows at the next one, and at the latest when the id is read, once a second while the cache is
/// used: reading is what is relied on, as with revocations, and messages only make it quicker. A lost message, another
/// primary, a restart of Redis: each is an id that does not follow, and everything is dropped.
/// </remarks>
internal sealed partial class ContentFeed : BackgroundService, IHealthPart
{
    /// <summary>How old the last reading may be for answers from memory.</summary>
    public static readonly TimeSpan CurrentFor = TimeSpan.FromSeconds(3);

    private const string Channel = "content";
    private const int MostOwed = 1_000;

    private const string Read = "return redis.call('HGET', KEYS[1], 'last') or ''";

    // A user without rights on the channel may publish nothing; the others read it then.
    private const string Announce = """
        local last = redis.call('HGET', KEYS[1], 'last') or ''
        redis.call('HSET', KEYS[1], 'last', ARGV[1])
        redis.pcall('PUBLISH', ARGV[2], last .. ' ' .. ARGV[1] .. ' ' .. ARGV[3])
        return ARGV[1]
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly SingleFlight<string, bool> _readings = new();
    private readonly ConcurrentQueue<ContentChange> _owed = new(); // the others may take them for open until they hear
    private readonly ContentStore _store;
    private readonly ContentCacheOptions _options;
    private readonly RedisConnection? _redis;
    private readonly string _channel;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private string? _last; // the id of the last change that is known here
    private long _readAt;
    private long _usedAt;
    private long _sweptAt;
    private volatile bool _isCertain; // there was a reading, and nothing happened since that makes it worthless
    private volatile bool _isDown;

    /// <param name="store">The contents.</param>
    /// <param name="options">The section.</param>
    /// <param name="redis">The connection, one or none.</param>
    /// <param name="redisOptions">What it was made of.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told when the cache is bypassed, and when it is used again.</param>
    public ContentFeed(
        ContentStore store,
        ContentCacheOptions options,
        IEnumerable<RedisConnection> redis,
        RedisOptions? redisOptions,
        TimeProvider time,
        ILogger<ContentFeed> logger)
    {
        _store = store;
        _options = options;
        _redis = redis.FirstOrDefault();
        _channel = redisOptions?.KeyPrefix + Channel;
        _time = time;
        _logger = logger;
        _sweptAt = time.GetTimestamp();
        _usedAt = time.GetTimestamp();
    }

    /// <inheritdoc/>
    public string Name => "content";

    /// <inheritdoc/>
    public bool IsUp => !_isDown;

    /// <summary>
    /// Whether contents may be answered from memory; at first, and after a pause, this reads Redis. A gateway that
    /// knows that Redis does not answer makes no request wait for it.
    /// </summary>
    public ValueTask<bool> EnsureCurrentAsync(CancellationToken cancellationToken)
    {
        if (_redis is null)
        {
            return new ValueTask<bool>(true);
        }

        Volatile.Write(ref _usedAt, _time.GetTimestamp());
        return IsCurrent ? new ValueTask<bool>(true)
            : _isDown ? new ValueTask<bool>(false)
            : new ValueTask<bool>(_readings.AskAsync("", () => ReadAsync(_redis), cancellationToken));
    }

    /// <summary>Tells the other replicas of a change.</summary>
    /// <returns><see langword="false"/> where they could not be told; that is logged.</returns>
    public async Task<bool> TryAnnounceAsync(ContentChange change)
    {
        if (_redis is null)
        {
            return true;
        }

        try
        {
            await _redis.EvaluateAsync(
                Announce,
                [_redis.Key(Channel)],
                [Guid.NewGuid().ToString("N"), _channel, change.ToString()],
                CancellationToken.None);
            return true;
        }
        catch (StateException exception)
        {
            Log.NotAnnounced(_logger, LogText.OneLine(exception.Message));
            if (_owed.Count < MostOwed)
            {
                _owed.Enqueue(change with { IsOpen = false }); // Redis may have it all the same
            }

            return false;
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_redis is not null)
        {
            _redis.Restored += OnRestored;
            await _redis.SubscribeAsync(Channel, Hear);
        }

        using var timer = new PeriodicTimer(Interval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            // Once all that is kept is too old, there is nothing to keep true until somebody asks again.
            // While Redis is unavailable, somebody has to notice that it no longer is.
            if (_redis is not null && (_isDown || !_owed.IsEmpty
                || _time.GetElapsedTime(Volatile.Read(ref _usedAt)) < _options.MaxAge + CurrentFor)
                && await _readings.AskAsync("", () => ReadAsync(_redis), stoppingToken))
            {
                while (_owed.TryDequeue(out var change) && await TryAnnounceAsync(change))
                {
                    // the next one
                }
            }

            if (_store.Count > 0 && _time.GetElapsedTime(_sweptAt) >= BetweenSweeps)
            {
                _sweptAt = _time.GetTimestamp();
                _store.Sweep();
            }
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (_redis is not null)
        {
            _redis.Restored -= OnRestored;
        }

        base.Dispose();
    }

    private bool IsCurrent => _isCertain && _time.GetElapsedTime(Volatile.Read(ref _readAt)) < CurrentFor;

    private void OnRestored() => _isCertain = false; // what was published meanwhile was lost

    private async Task<bool> ReadAsync(RedisConnection redis)
    {
        string? before;
        lock (_gate)
        {
            before = _last;
        }

        var startedAt = _time.GetTimestamp();
        string found;
        try
        {
            found = await redis.EvaluateAsync(
                Read, [redis.Key(Channel)], [], static result => (string?)result ?? "", CancellationToken.None);
        }
        catch (StateException exception)
        {
            if (!_isDown && !IsCurrent)
            {
                _isDown = true;
                Log.Down(_logger, LogText.OneLine(exception.Message));
            }

            return false;
        }

        lock (_gate)
        {
            // Between the two lies what was heard while it was read.
            var isComplete = found == before || found == _last;
            if (!isComplete || !IsCurrent)
            {
                _store.Clear();
            }

            _last = isComplete ? _last : found;
            Volatile.Write(ref _readAt, startedAt);
            _isCertain = true;
        }

        if (_isDown)
        {
            _isDown = false;
            Log.Back(_logger);
        }

        return true;
    }

    // "ID-BEFORE ID CHANGE"
    private void Hear(string message)
    {
        var parts = message.Split(' ', 3);
        lock (_gate)
        {
            if (parts is not [var before, var id, var text] || !ContentChange.TryParse(text, out var change))
            {
                _store.Clear();
                _isCertain = false;
                return;
            }

            if (before != _last && id != _last)
            {
                _store.Clear(); // one before it is missing
            }
            else
            {
                _store.Forget(change.Value);
            }

            _last = id;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1422, LogLevel.Warning,
            "The content cache is bypassed, since deletions by other replicas may be unknown here: {Problem} Requests "
            + "are forwarded, and deletions are answered 503, until Redis answers.")]
        public static partial void Down(ILogger logger, string problem);

        [LoggerMessage(1423, LogLevel.Information, "The content cache is used again; it begins empty.")]
        public static partial void Back(ILogger logger);

        [LoggerMessage(1424, LogLevel.Warning,
            "A change could not be announced to the other replicas, which may have the content in memory: {Problem} "
            + "A deletion that has not been forwarded yet is answered 503.")]
        public static partial void NotAnnounced(ILogger logger, string problem);
    }
}
