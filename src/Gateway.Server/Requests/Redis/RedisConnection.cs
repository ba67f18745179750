using System.Globalization;
using System.Net;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;
using StackExchange.Redis;

namespace Gateway.Server.Requests.Redis;

/// <summary>The one connection to the Redis of the section <c>redis</c>. It is made when first needed, and again when lost.</summary>
/// <remarks>
/// Every wait has a budget (<see cref="RedisOptions.Timeout"/>): while Redis hangs, the library lets calls wait for seconds.
/// Everything goes to the primary. A replica may lack what was revoked a moment ago, and must not be asked for it.
/// </remarks>
internal sealed partial class RedisConnection : IAsyncDisposable
{
    // Of the library's own waiting: at least this, and as long as the longest budget. Four of them without any answer, and it gives
    // a connection up.
    private static readonly TimeSpan LeastTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ReasonPatience = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly HashSet<EndPoint> _refusing = [];
    private readonly List<(string Channel, Action<string> Handler)> _handlers = [];
    private readonly RedisOptions _options;
    private readonly RedisTopology _topology;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private Task? _connecting;
    private TaskCompletionSource _tried = NewSource(); // the first attempt is over, well or not
    private TaskCompletionSource _connected = NewSource();
    private TaskCompletionSource _explained = NewSource();
    private ConnectionMultiplexer? _servers;
    private ConnectionMultiplexer? _sentinels;
    private long _connections;
    private string? _reason;
    private string? _problem;
    private bool _disposed;

    /// <summary>Prepares the connection; nothing is sent before it is used.</summary>
    /// <param name="options">The section.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told when the connection is lost, and when it has recovered.</param>
    /// <param name="timeout">The budget of a wait, instead of the section's.</param>
    /// <param name="longest">The longest budget that a call is given, where one is longer than that.</param>
    /// <exception cref="ProblemException">The file of authorities cannot be used.</exception>
    public RedisConnection(
        RedisOptions options,
        TimeProvider time,
        ILogger<RedisConnection> logger,
        TimeSpan? timeout = null,
        TimeSpan longest = default)
    {
        _options = options;
        _timeout = timeout ?? options.Timeout;
        _time = time;
        _logger = logger;
        _topology = new RedisTopology(
            options, RedisTrust.Load(options), new[] { LeastTimeout, _timeout, longest }.Max());
    }

    /// <summary>
    /// Raised after the connection recovered, and when another server became the primary: anything published meanwhile
    /// is lost.
    /// </summary>
    public event Action? Restored;

    /// <summary>Whose answers are given now; who remembers something about the server asks again after a change.</summary>
    public RedisEpoch Epoch
    {
        get
        {
            try
            {
                return new RedisEpoch(Volatile.Read(ref _connections), Volatile.Read(ref _servers) is { } servers ? Primary(servers).EndPoint : null);
            }
            catch (Exception exception) when (exception is InvalidOperationException or RedisException)
            {
                return new RedisEpoch(Volatile.Read(ref _connections), null); // there is none now
            }
        }
    }

    /// <summary>Whether the primary is connected, as far as the library knows; <see langword="null"/> before the first use.</summary>
    public bool? IsConnected => Volatile.Read(ref _connecting) is null ? null : HasPrimary;

    private bool HasPrimary => Volatile.Read(ref _servers) is { } servers
        && servers.GetDatabase(_options.Database).IsConnected(Key(""), CommandFlags.DemandMaster);

    /// <summary>The key of a name: behind the configured prefix.</summary>
    public RedisKey Key(string name) => _options.KeyPrefix + name;

    /// <summary>Runs a script, which Redis runs whole or, where it is not answered in time, perhaps not at all.</summary>
    /// <param name="script">Lua.</param>
    /// <param name="keys">From <see cref="Key"/>; at least one, since a cluster finds the node by them.</param>
    /// <param name="values">Its arguments.</param>
    /// <param name="cancellationToken">Ends the waiting; the script may run all the same.</param>
    /// <param name="budget">Longest wait, instead of the section's.</param>
    /// <exception cref="StateException">Redis is unreachable, too slow, or refused it.</exception>
    public Task<RedisResult> EvaluateAsync(
        string script,
        RedisKey[] keys,
        RedisValue[] values,
        CancellationToken cancellationToken,
        TimeSpan? budget = null) =>
        RunAsync(
            servers => servers.GetDatabase(_options.Database)
                .ScriptEvaluateAsync(script, keys, values, CommandFlags.DemandMaster),
            cancellationToken,
            budget);

    /// <summary>Runs a script and reads its answer, whose shape may be another one than the script's own where something is between.</summary>
    /// <inheritdoc cref="EvaluateAsync(string, RedisKey[], RedisValue[], CancellationToken, TimeSpan?)"/>
    public async Task<T> EvaluateAsync<T>(
        string script,
        RedisKey[] keys,
        RedisValue[] values,
        Func<RedisResult, T> read,
        CancellationToken cancellationToken,
        TimeSpan? budget = null)
    {
        var result = await EvaluateAsync(script, keys, values, cancellationToken, budget);
        try
        {
            return read(result);
        }
        catch (Exception exception) when (exception is not StateException)
        {
            throw new StateException(
                $"Redis at {_options.Place} gave an unexpected answer: {LogText.OneLine(exception.Message).TrimEnd('.')}.",
                exception);
        }
    }

    /// <summary>What Redis tells of itself in a section of <c>INFO</c>: lines of <c>name:value</c>.</summary>
    /// <exception cref="StateException">Redis is unreachable, too slow, or refused it.</exception>
    public async Task<string> ReadInfoAsync(string section, CancellationToken cancellationToken) =>
        await RunAsync(servers => Primary(servers).InfoRawAsync(section), cancellationToken) ?? "";

    /// <summary>A value of Redis's configuration; <see langword="null"/> where it does not tell, as hosted ones do not.</summary>
    /// <exception cref="StateException">Redis is unreachable or too slow.</exception>
    public async Task<string?> ReadConfigurationAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var pairs = await RunAsync(servers => Primary(servers).ConfigGetAsync(name), cancellationToken);
            return pairs is [{ Value: var value }] ? value : null;
        }
        catch (StateException exception) when (exception.InnerException is RedisServerException)
        {
            return null;
        }
    }

    /// <summary>How many listen to a channel, at all servers together: in a cluster each knows its own listeners alone.</summary>
    /// <param name="channel">Without the prefix, which is put before it.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="StateException">A server is unreachable, too slow, or refused it.</exception>
    public Task<long> CountListenersAsync(string channel, CancellationToken cancellationToken) => RunAsync(
        async servers => (await Task.WhenAll(servers.GetServers().Where(static server => server.IsConnected)
            .Select(server => server.SubscriptionSubscriberCountAsync(Channel(channel))))).Sum(),
        cancellationToken);

    /// <summary>Subscribes a channel, now or as soon as Redis is there, and again whenever the connection is.</summary>
    /// <param name="channel">Without the prefix, which is put before it.</param>
    /// <param name="handler">Is given each message, on any thread. Messages get lost: never depend on one.</param>
    public async Task SubscribeAsync(string channel, Action<string> handler)
    {
        try
        {
            // Only the waiting ends with the budget, not the subscribing.
            await SubscribeOnceConnectedAsync(channel, handler).WaitAsync(_timeout, _time);
        }
        catch (Exception exception)
        {
            Log.SubscribedLater(_logger, Describe(exception, _timeout).Message);
        }
    }

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

    private RedisChannel Channel(string name) => RedisChannel.Literal(_options.KeyPrefix + name);

    private IServer Primary(ConnectionMultiplexer servers) => servers.GetServer(Key(""), null, CommandFlags.DemandMaster);

    private async Task SubscribeOnceConnectedAsync(string channel, Action<string> handler)
    {
        lock (_gate)
        {
            _handlers.Add((channel, handler));
        }

        StartConnecting();
        await _connected.Task;
        await SubscribeAsync(_servers!, channel, handler);
    }

    private Task SubscribeAsync(ConnectionMultiplexer servers, string channel, Action<string> handler) =>
        servers.GetSubscriber().SubscribeAsync(Channel(channel), (_, message) => handler((string?)message ?? ""));

    private async Task<T> RunAsync<T>(
        Func<ConnectionMultiplexer, Task<T>> command, CancellationToken cancellationToken, TimeSpan? budget = null)
    {
        var timeout = budget ?? _timeout;
        var started = _time.GetTimestamp();
        try
        {
            StartConnecting();
            await _tried.Task.WaitAsync(timeout, _time, cancellationToken);
            var servers = Volatile.Read(ref _servers)
                ?? throw new InvalidOperationException("not connected yet");
            var left = timeout - _time.GetElapsedTime(started);
            return await command(servers).WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, _time, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // All of them, whatever their family: some of the library's are no RedisException (RedisCommandException, for what
            // it does not even send), and one that got past here would be a 500 where a limit or a token should be answered.
            throw Describe(exception, timeout);
        }
    }

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
            await Task.Delay(RetryInterval, _time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
            await Task.Delay(WatchInterval, _time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
                    await CloseAsync(old); // also where the new one refuses a subscription: nothing uses the old one any more
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
        servers.ConnectionRestored += (_, back) => IfUsed(() => OnRestored(back.ConnectionType == ConnectionType.Interactive));
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
        if (exception is RedisTopologyException)
        {
            Tell(exception.Message);
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
        Volatile.Write(ref _reason, ReasonOf(attempt.Outcome, isSentinel ? "redis.sentinel" : "redis",
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

    private static string ReasonOf(ConnectionAttemptCompletedEventArgs attempt, string section, bool hasUser)
    {
        if (attempt.ServerCertificateAccepted == false)
        {
            return "cannot be reached: its certificate is not trusted, or is for another name. "
                + "See redis.certificateAuthority and redis.server.";
        }

        if (attempt.Stage == ConnectionAttemptStage.Tls)
        {
            return "cannot be reached over TLS. See redis.tls.";
        }

        return attempt.FailureType switch
        {
            ConnectionFailureType.AuthenticationFailure when hasUser =>
                $"refuses the user name or the password. See {section}.username and {section}.password.",
            ConnectionFailureType.AuthenticationFailure => $"refuses the password. See {section}.password.",
            ConnectionFailureType.Loading => "is still loading its data.",
            _ => "cannot be reached.",
        };
    }

    private StateException Describe(Exception exception, TimeSpan timeout)
    {
        var place = $"Redis at {_options.Place}";
        var message = exception switch
        {
            // Keys of two slots are not even sent.
            RedisServerException { Kind: RedisErrorKind.CrossSlot or RedisErrorKind.Moved or RedisErrorKind.Ask }
                or RedisCommandException when !_options.HasHashTag => $"{place} {RedisTopologyException.NoHashTag}",
            RedisServerException => $"{place} refused: {LogText.OneLine(exception.Message).TrimEnd('.')}.",
            ObjectDisposedException when Volatile.Read(ref _disposed) =>
                $"The connection to {place} is closed: the gateway is stopping.",
            RedisConnectionException or InvalidOperationException => // the latter: no server has the keys
                Tell(_options.Sentinel is null && _servers is { } servers && RedisTopology.IsReplica(servers)
                    ? RedisTopologyException.Replica : null),
            TimeoutException => string.Create(
                CultureInfo.InvariantCulture, $"{place} did not answer within {timeout.TotalMilliseconds} ms."),
            _ => $"{place} cannot be used: {LogText.OneLine(exception.Message).TrimEnd('.')}.",
        };
        return new StateException(message, exception);
    }

    // The log is told once, and again where another reason comes later.
    private string Tell(string? reason)
    {
        lock (_gate)
        {
            var problem = reason is null && _problem is not null
                ? _problem
                : $"Redis at {_options.Place} {reason ?? Volatile.Read(ref _reason) ?? "cannot be reached."}";
            if (problem != _problem && !_disposed && !HasPrimary) // a command may fail of a connection that has recovered by now
            {
                _problem = problem;
                Log.Lost(_logger, problem);
            }

            return problem;
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

        [LoggerMessage(1142, LogLevel.Warning,
            "The gateway receives messages from Redis once it is connected again. {Problem}")]
        public static partial void SubscribedLater(ILogger logger, string problem);
    }
}
