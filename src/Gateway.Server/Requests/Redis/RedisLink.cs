using System.Net;
using StackExchange.Redis;

namespace Gateway.Server.Requests.Redis;

/// <summary>
/// The library's connection: made when first needed, again when lost, and to another server where the sentinels name
/// one. It knows why there is none, and tells the log.
/// </summary>
/// <param name="options">The section.</param>
/// <param name="topology">How servers are found and connected.</param>
/// <param name="timeout">How long its end waits for a hanging Redis.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told when the connection is lost, and when it has recovered.</param>
internal sealed partial class RedisLink(
    RedisOptions options, RedisTopology topology, TimeSpan timeout, TimeProvider time, ILogger logger)
        : IAsyncDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ReasonPatience = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly HashSet<EndPoint> _refusing = [];
    private readonly List<(string Channel, Action<string> Handler)> _handlers = [];
    private readonly RedisOptions _options = options;
    private readonly RedisTopology _topology = topology;
    private readonly TimeSpan _timeout = timeout;
    private readonly TimeProvider _time = time;
    private readonly ILogger _logger = logger;
    private Task? _connecting;
    private TaskCompletionSource _tried = NewSource(); // the first attempt is over, well or not
    private TaskCompletionSource _connected = NewSource();
    private TaskCompletionSource _explained = NewSource();
    private ConnectionMultiplexer? _servers;
    private ConnectionMultiplexer? _sentinels;
    private long _connections;
    private RedisReason? _reason;
    private RedisReason? _problem; // the whole sentence
    private bool _disposed;

    /// <summary>
    /// Raised after the connection recovered, and when another server became the primary: what was published meanwhile
    /// is lost.
    /// </summary>
    public event Action? Restored;

    /// <summary>
    /// Whose answers are given now; who remembers something about the server asks again after a change.
    /// </summary>
    public RedisEpoch Epoch
    {
        get
        {
            try
            {
                return new RedisEpoch(
                    Volatile.Read(ref _connections),
                    Volatile.Read(ref _servers) is { } servers ? Primary(servers).EndPoint : null);
            }
            catch (Exception exception) when (exception is InvalidOperationException or RedisException)
            {
                return new RedisEpoch(Volatile.Read(ref _connections), null); // there is none now
            }
        }
    }

    /// <summary>
    /// Whether the primary is connected, as far as the library knows; <see langword="null"/> before the first use.
    /// </summary>
    public bool? IsConnected => Volatile.Read(ref _connecting) is null ? null : HasPrimary;

    private bool HasPrimary => Volatile.Read(ref _servers) is { } servers
        && servers.GetDatabase(_options.Database).IsConnected(Key(""), CommandFlags.DemandMaster);

    /// <summary>What commands are sent through; <see langword="null"/> before the first connection.</summary>
    public ConnectionMultiplexer? Servers => Volatile.Read(ref _servers);

    /// <summary>Whether nothing more is to be sent: the program ends.</summary>
    public bool IsClosed => Volatile.Read(ref _disposed);

    /// <summary>The key of a name: behind the configured prefix.</summary>
    public RedisKey Key(string name) => _options.KeyPrefix + name;

    /// <summary>The channel of a name: behind the configured prefix.</summary>
    public RedisChannel Channel(string name) => RedisChannel.Literal(_options.KeyPrefix + name);

    /// <summary>The server that is written to.</summary>
    public IServer Primary(ConnectionMultiplexer servers) =>
        servers.GetServer(Key(""), null, CommandFlags.DemandMaster);

    /// <summary>Begins to connect, where nobody did; ends with the first attempt, well or not.</summary>
    public Task TryConnectAsync()
    {
        StartConnecting();
        return _tried.Task;
    }

    /// <summary>Subscribes a channel as soon as there is a connection, and again at each other server.</summary>
    public async Task SubscribeOnceConnectedAsync(string channel, Action<string> handler)
    {
        lock (_gate)
        {
            _handlers.Add((channel, handler));
        }

        StartConnecting();
        await _connected.Task;
        await SubscribeAsync(_servers!, channel, handler);
    }

    /// <summary>Says what is wrong; the log is told once, and again where another reason comes later.</summary>
    /// <param name="reason">Why, to stand after the server; the one known where it is <see langword="null"/>.</param>
    /// <returns>A sentence, and what kind of failure it is.</returns>
    public RedisReason Tell(RedisReason? reason)
    {
        lock (_gate)
        {
            var known = reason ?? Volatile.Read(ref _reason) ?? RedisReason.Unreachable;
            var problem = reason is null && _problem is not null
                ? _problem
                : known with { Text = $"Redis at {_options.Place} {known.Text}" };
            // a command may fail of a connection that has recovered by now
            if (problem != _problem && !_disposed && !HasPrimary)
            {
                _problem = problem;
                Log.Lost(_logger, problem.Text);
            }

            return problem;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Task? connecting;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            connecting = _connecting;
        }

        await _ending.CancelAsync();
        if (connecting is not null)
        {
            await Task.WhenAll(connecting, CloseAsync(_servers), CloseAsync(_sentinels)).WaitAsync(_timeout, _time)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a hanging Redis is not waited for
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task SubscribeAsync(ConnectionMultiplexer servers, string channel, Action<string> handler) =>
        servers.GetSubscriber().SubscribeAsync(Channel(channel), (_, message) => handler((string?)message ?? ""));

    private void StartConnecting()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _connecting ??= Task.Run(ConnectAsync);
        }
    }

    private async Task ConnectAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                if (await ConnectOnceAsync() is { } sentinels)
                {
                    await WatchAsync(sentinels);
                }

                return;
            }
            catch (Exception exception)
            {
                await ExplainAsync(exception);
            }

            _tried.TrySetResult(); // from now on nobody waits for an attempt: the reason is known
            await Task.Delay(RetryInterval, _time, _ending.Token).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<ConnectionMultiplexer?> ConnectOnceAsync()
    {
        _explained = NewSource();
        lock (_gate)
        {
            _refusing.Clear();
        }

        var (servers, sentinels) = await _topology.ConnectAsync(Observe);
        Use(servers);
        _sentinels = sentinels;
        if (_ending.IsCancellationRequested)
        {
            await Task.WhenAll(CloseAsync(servers), CloseAsync(sentinels));
            return null;
        }

        _connected.TrySetResult();
        _tried.TrySetResult();
        if (Volatile.Read(ref _problem) is not null)
        {
            OnRestored(isNew: true);
        }

        return sentinels;
    }

    // Four times a second, and not by their messages, which may get lost.
    private async Task WatchAsync(ConnectionMultiplexer sentinels)
    {
        var used = _servers!.GetEndPoints()[0];
        while (!_ending.IsCancellationRequested)
        {
            await Task.Delay(WatchInterval, _time, _ending.Token).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                if (await _topology.FindPrimaryAsync(sentinels) is not { } primary || primary.Equals(used))
                {
                    continue;
                }

                var (old, servers) = (_servers, await _topology.ConnectAsync(primary, Observe));
                Use(servers);
                used = primary;
                OnRestored(isNew: true);
                try
                {
                    foreach (var (channel, handler) in Handlers())
                    {
                        await SubscribeAsync(servers, channel, handler);
                    }
                }
                finally
                {
                    // also where the new one refuses a subscription: nothing uses the old one any more
                    await CloseAsync(old);
                }
            }
            catch (Exception exception)
            {
                await ExplainAsync(exception); // and again: the old one is used until the new one answers
            }
        }
    }

    private void Use(ConnectionMultiplexer servers)
    {
        servers.ConnectionFailed += (_, failure) => IfUsed(() => OnLost(failure.ConnectionType));
        servers.ConnectionRestored += (_, back) => IfUsed(
            () => OnRestored(back.ConnectionType == ConnectionType.Interactive));
        servers.ConfigurationChanged += (_, _) => IfUsed(() => OnRestored(isNew: false)); // a cluster's roles and slots
        Volatile.Write(ref _servers, servers);

        void IfUsed(Action action)
        {
            if (ReferenceEquals(Volatile.Read(ref _servers), servers))
            {
                action();
            }
        }
    }

    private (string Channel, Action<string> Handler)[] Handlers()
    {
        lock (_gate)
        {
            return [.. _handlers];
        }
    }

    private static Task CloseAsync(ConnectionMultiplexer? servers) =>
        servers?.CloseAsync(allowCommandsToComplete: false) ?? Task.CompletedTask;

    // The library tells why an attempt failed by an event, which may come a little later than the failure.
    private async Task ExplainAsync(Exception exception)
    {
        if (exception is RedisTopologyException { Reason: var reason })
        {
            Tell(reason);
            return;
        }

        await _explained.Task.WaitAsync(ReasonPatience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Tell(Volatile.Read(ref _reason));
    }

    private void Observe(RedisAttempt attempt)
    {
        if (attempt.Outcome.ConnectionType != ConnectionType.Interactive || attempt.Outcome.IsSuccess)
        {
            return;
        }

        var (isSentinel, sentinel) = (attempt.IsSentinel, _options.Sentinel);
        Volatile.Write(ref _reason, RedisReason.Explain(attempt.Outcome, isSentinel ? "redis.sentinel" : "redis",
            isSentinel ? sentinel!.Username is not null : _options.Username is not null));
        _explained.TrySetResult();
        lock (_gate)
        {
            if (_servers is null && !(attempt.IsNamed && AllRefuse(attempt.Outcome.EndPoint!)))
            {
                return; // another may answer, or has
            }
        }

        if (!HasPrimary)
        {
            Tell(Volatile.Read(ref _reason));
            _tried.TrySetResult(); // the library goes on trying for seconds
        }

        bool AllRefuse(EndPoint endpoint)
        {
            _refusing.Add(endpoint);
            return _refusing.Count >= (isSentinel ? sentinel!.Servers.Count : Math.Max(1, _options.Servers.Count));
        }
    }

    // The library has two connections: one for commands, one that listens to channels.
    private void OnLost(ConnectionType connection)
    {
        if (connection == ConnectionType.Interactive && !HasPrimary)
        {
            Volatile.Write(ref _reason, null); // the next attempt tells why
            Tell(null);
        }
    }

    private void OnRestored(bool isNew)
    {
        if (isNew)
        {
            Interlocked.Increment(ref _connections);
        }

        lock (_gate)
        {
            if (_problem is not null && HasPrimary)
            {
                _problem = null;
                Log.Back(_logger, _options.Place);
            }
        }

        Restored?.Invoke();
    }

    private static partial class Log
    {
        [LoggerMessage(1140, LogLevel.Error, "{Problem} The gateway tries again until it answers.")]
        public static partial void Lost(ILogger logger, string problem);

        [LoggerMessage(1141, LogLevel.Information, "Redis at {Server} is connected again.")]
        public static partial void Back(ILogger logger, string server);
    }
}
