using System.Globalization;
using System.Net;
using System.Security.Authentication;
using Gateway.Hosting;
using Gateway.Pipeline;
using Gateway.State;
using StackExchange.Redis;

namespace Gateway.Redis;

/// <summary>The one connection to the Redis of the section <c>redis</c>. It is made when first needed, and again when lost.</summary>
/// <remarks>
/// Every wait has a budget (<see cref="RedisOptions.Timeout"/>): StackExchange.Redis 1.2 has none for asynchronous calls,
/// which never complete while Redis hangs. What is used of it is what 2.x kept.
/// </remarks>
internal sealed partial class RedisConnection : IAsyncDisposable
{
    private const int DefaultPort = 6379;
    private static readonly string[] ClusterWords =
        ["CROSSSLOT ", "CLUSTERDOWN ", "MOVED ", "ASK ", "TRYAGAIN ", "single slot", "hash slot", "in a cluster"];

    private const string PasswordRefused = "refuses the password. See redis.password.";

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _subscribing = new(1);
    private readonly Dictionary<string, Action<string>> _handlers = [];
    private readonly RedisOptions _options;
    private readonly RedisTrust _trust;
    private readonly TimeSpan _timeout;
    private readonly ConfigurationOptions _configuration;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private Task<ConnectionMultiplexer>? _connecting;
    private long _restored;
    private string? _problem;
    private bool _isConnected;
    private bool _disposed;

    /// <summary>Prepares the connection; nothing is sent before it is used.</summary>
    /// <param name="options">The section.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told when the connection is lost, and when it is back.</param>
    /// <param name="timeout">The budget of a wait, instead of the section's.</param>
    /// <exception cref="Configuration.ProblemException">The file of authorities cannot be used.</exception>
    public RedisConnection(
        RedisOptions options, TimeProvider time, ILogger<RedisConnection> logger, TimeSpan? timeout = null)
    {
        _options = options;
        _timeout = timeout ?? options.Timeout;
        _time = time;
        _logger = logger;
        _trust = RedisTrust.Load(options);
        _configuration = Configure(options);
        _configuration.CertificateValidation += _trust.Validate;
    }

    /// <summary>Raised after the connection came back: what was published meanwhile is lost.</summary>
    public event Action? Restored;

    /// <summary>How often the connection came back; who remembers something about the server asks it again then.</summary>
    public long Restorations => Volatile.Read(ref _restored);

    /// <summary>Whether there is a connection, as far as the library knows; <see langword="null"/> before the first use.</summary>
    public bool? IsConnected => Volatile.Read(ref _connecting) is null ? null : Volatile.Read(ref _isConnected);

    /// <summary>The key of a name: behind the configured prefix.</summary>
    public RedisKey Key(string name) => _options.KeyPrefix + name;

    /// <summary>Runs a script, which Redis runs whole or, where it is not answered in time, perhaps not at all.</summary>
    /// <param name="script">Lua.</param>
    /// <param name="keys">From <see cref="Key"/>.</param>
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
            (multiplexer, flags) => multiplexer.GetDatabase(_options.Database)
                .ScriptEvaluateAsync(script, keys, values, flags),
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
                $"Redis at {_options.Server} answered what is not understood: {LogText.OneLine(exception.Message).TrimEnd('.')}.", exception);
        }
    }

    /// <summary>What Redis tells of itself in a section of <c>INFO</c>: lines of <c>name:value</c>.</summary>
    /// <exception cref="StateException">Redis is unreachable, too slow, or refused it.</exception>
    public async Task<string> ReadInfoAsync(string section, CancellationToken cancellationToken) =>
        (string?)await RunAsync((multiplexer, _) => multiplexer.GetDatabase(_options.Database)
            .ExecuteAsync("INFO", section), cancellationToken) ?? "";

    /// <summary>A value of Redis's configuration; <see langword="null"/> where it does not tell, as hosted ones do not.</summary>
    /// <exception cref="StateException">Redis is unreachable or too slow.</exception>
    public async Task<string?> ReadConfigurationAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var pair = (RedisResult[])(await RunAsync((multiplexer, _) => multiplexer.GetDatabase(_options.Database)
                .ExecuteAsync("CONFIG", "GET", name), cancellationToken))!;
            return pair.Length == 2 ? (string?)pair[1] : null;
        }
        catch (StateException exception) when (exception.InnerException is RedisServerException)
        {
            return null;
        }
    }

    /// <summary>Publishes a message to whoever subscribes the channel with the same prefix at this moment.</summary>
    /// <exception cref="StateException">Redis is unreachable, too slow, or refused it.</exception>
    public Task PublishAsync(string channel, string message, CancellationToken cancellationToken) =>
        RunAsync((multiplexer, _) => multiplexer.GetSubscriber()
            .PublishAsync(_options.KeyPrefix + channel, message), cancellationToken);

    /// <summary>Subscribes a channel, now or as soon as Redis is there, and again whenever the connection is.</summary>
    /// <param name="channel">Without the prefix, which is put before it.</param>
    /// <param name="handler">Is given each message, on any thread. Messages get lost: never depend on one.</param>
    public async Task SubscribeAsync(string channel, Action<string> handler)
    {
        lock (_gate)
        {
            _handlers[channel] = _handlers.TryGetValue(channel, out var others) ? others + handler : handler;
            if (others is not null)
            {
                return; // the channel is subscribed, or is about to be
            }
        }

        try
        {
            // Only the waiting ends with the budget, not the subscribing.
            await SubscribeOnceConnectedAsync(channel).WaitAsync(_timeout, _time);
        }
        catch (Exception exception)
        {
            Log.SubscribedLater(_logger, Describe(exception, _timeout).Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task<ConnectionMultiplexer>? connecting;
        lock (_gate)
        {
            _disposed = true;
            connecting = _connecting;
        }

        if (connecting is null)
        {
            return;
        }

        try
        {
            // Not CloseAsync: it waits for answers that a hanging Redis never gives.
            (await connecting.WaitAsync(_timeout, _time)).Dispose();
        }
        catch (Exception)
        {
            // It never connected, or tries still: the program ends without waiting for that.
        }
    }

    private static ConfigurationOptions Configure(RedisOptions options)
    {
        if (!HostName.TryParse(options.Server, out var server))
        {
            throw new ArgumentException("not a host", nameof(options)); // the validator has seen to it
        }

        var host = server.Host.Trim('[', ']');
        var port = server.Port ?? DefaultPort;
        var configuration = new ConfigurationOptions
        {
            AbortOnConnectFail = false, // a start neither fails nor hangs because Redis is away
            ClientName = "gateway",
            Password = options.Password,
            Ssl = options.Tls,
            SslHost = options.Tls ? host : null,
            KeepAlive = 5,
            ConnectTimeout = 5000,
            ReconnectRetryPolicy = new LinearRetry(500), // milliseconds
            SyncTimeout = 5000, // no call here is synchronous; it also bounds the library's own handshake
            ConfigurationChannel = "",
            TieBreaker = "", // one server: no keys and channels of the library's own
        };
        configuration.EndPoints.Add(
            IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port));
        return configuration;
    }

    private async Task<ConnectionMultiplexer> ConnectAsync()
    {
        await using var log = new StringWriter(CultureInfo.InvariantCulture);

        // Forced: what follows must not run on the library's own reading thread.
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(_configuration, log)
            .ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (!multiplexer.IsConnected && SaysPassword(log.ToString()))
        {
            DescribeLoss(PasswordRefused); // here the library says it for sure, and later now and then only
        }

        multiplexer.PreserveAsyncOrder = false; // with it, one answer's continuation holds up all answers behind it
        multiplexer.ConnectionFailed += (_, failure) => OnLost(failure);
        multiplexer.ConnectionRestored += (_, back) => OnRestored(multiplexer, back.ConnectionType);
        Volatile.Write(ref _isConnected, multiplexer.IsConnected);
        return multiplexer;
    }

    // Not left to the library, which sometimes forgets to subscribe again what it could not at first.
    private async Task SubscribeAgainAsync(ConnectionMultiplexer multiplexer)
    {
        await _subscribing.WaitAsync();
        try
        {
            string[] channels;
            lock (_gate)
            {
                channels = _disposed ? [] : [.. _handlers.Keys];
            }

            foreach (var channel in channels)
            {
                // First, or the library takes it for subscribed already and sends nothing.
                await multiplexer.GetSubscriber().UnsubscribeAsync(_options.KeyPrefix + channel)
                    .WaitAsync(_timeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await SubscribeAsync(multiplexer, channel);
            }
        }
        catch (Exception exception)
        {
            Log.SubscribedLater(_logger, Describe(exception, _timeout).Message);
        }
        finally
        {
            _subscribing.Release();
        }
    }

    private async Task SubscribeOnceConnectedAsync(string channel)
    {
        var multiplexer = await Connection();
        await _subscribing.WaitAsync();
        try
        {
            await SubscribeAsync(multiplexer, channel);
        }
        finally
        {
            _subscribing.Release();
        }
    }

    private Task SubscribeAsync(ConnectionMultiplexer multiplexer, string channel) => multiplexer.GetSubscriber()
        .SubscribeAsync(_options.KeyPrefix + channel, (_, message) => Handle(channel, message))
        .WaitAsync(_timeout, _time);

    private void Handle(string channel, RedisValue message)
    {
        Action<string> handler;
        lock (_gate)
        {
            handler = _handlers[channel];
        }

        handler((string?)message ?? "");
    }

    private async Task<T> RunAsync<T>(
        Func<ConnectionMultiplexer, CommandFlags, Task<T>> command,
        CancellationToken cancellationToken,
        TimeSpan? budget = null)
    {
        var timeout = budget ?? _timeout;
        var started = _time.GetTimestamp();
        try
        {
            var multiplexer = await Connection().WaitAsync(timeout, _time, cancellationToken);
            try
            {
                return await command(multiplexer, CommandFlags.None)
                    .WaitAsync(Left(timeout, started), _time, cancellationToken);
            }
            catch (RedisServerException exception) when (exception.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
            {
                // Redis lost its scripts, as after SCRIPT FLUSH, and ran nothing; this sends the script itself.
                return await command(multiplexer, CommandFlags.NoScriptCache)
                    .WaitAsync(Left(timeout, started), _time, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // All of them, whatever their family: some of the library's are no RedisException (RedisCommandException, for what
            // it does not even send), and one that got past here would be a 500 where a limit or a token should be answered.
            throw Describe(exception, timeout);
        }
    }

    private Task<ConnectionMultiplexer> Connection()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _connecting is { IsFaulted: false, IsCanceled: false } connecting
                ? connecting
                : _connecting = Task.Run(ConnectAsync);
        }
    }

    private TimeSpan Left(TimeSpan timeout, long started)
    {
        var left = timeout - _time.GetElapsedTime(started);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private StateException Describe(Exception exception, TimeSpan timeout)
    {
        var message = exception switch
        {
            _ when IsOfACluster(exception) =>
                $"Redis at {_options.Server} is a node of a cluster, which the gateway does not use: name one server as redis.server.",
            RedisServerException => $"Redis at {_options.Server} refused: {LogText.OneLine(exception.Message)}.",
            RedisConnectionException => DescribeLoss(FindReason(exception)),
            TimeoutException => string.Create(
                CultureInfo.InvariantCulture,
                $"Redis at {_options.Server} did not answer within {timeout.TotalMilliseconds} ms."),
            ObjectDisposedException => $"The connection to Redis at {_options.Server} is closed: the gateway is ending.",
            _ => $"Redis at {_options.Server} cannot be used: {LogText.OneLine(exception.Message).TrimEnd('.')}.",
        };
        return new StateException(message, exception);
    }

    // What nodes of a cluster answer (Redis's cluster specification), and what the library says of keys that it does not even send.
    // By words, since types and codes of the library change from version to version.
    private static bool IsOfACluster(Exception exception) =>
        exception is RedisServerException or RedisCommandException
        && ClusterWords.Any(word => exception.Message.Contains(word, StringComparison.Ordinal));

    // The library's own messages run over several hundred characters of its counters, and it does not always know the
    // reason again that it knew before. The log is told once, and again where the reason comes later.
    private string DescribeLoss(string? reason)
    {
        lock (_gate)
        {
            if (_disposed || (_problem is not null && reason is null))
            {
                return _problem ?? $"Redis at {_options.Server} cannot be reached.";
            }

            var problem = $"Redis at {_options.Server} {reason ?? "cannot be reached."}";
            if (problem != _problem && !_isConnected) // a command may fail of a connection that is back by now
            {
                _problem = problem;
                Log.Lost(_logger, problem);
            }

            return problem;
        }
    }

    private string? FindReason(Exception? exception)
    {
        if (_trust.HasRefused)
        {
            return "cannot be reached: its certificate is not trusted, or is for another name. "
                + "See redis.certificateAuthority and redis.server.";
        }

        foreach (var cause in Causes(exception))
        {
            if (cause is AuthenticationException)
            {
                return "cannot be reached over TLS. See redis.tls.";
            }

            if (SaysPassword(cause.Message))
            {
                return PasswordRefused;
            }
        }

        return null;
    }

    private static bool SaysPassword(string text) =>
        text.Contains("NOAUTH", StringComparison.Ordinal) || text.Contains("WRONGPASS", StringComparison.Ordinal);

    private static IEnumerable<Exception> Causes(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            yield return exception;
        }
    }

    // The library has two connections: one for commands, one that listens to channels.
    private void OnLost(ConnectionFailedEventArgs failure)
    {
        if (failure.ConnectionType == ConnectionType.Interactive)
        {
            Volatile.Write(ref _isConnected, false);
            DescribeLoss(FindReason(failure.Exception));
        }
    }

    private void OnRestored(ConnectionMultiplexer multiplexer, ConnectionType connection)
    {
        if (connection == ConnectionType.Interactive)
        {
            Interlocked.Increment(ref _restored);
            lock (_gate)
            {
                _isConnected = true;
                if (_problem is not null)
                {
                    _problem = null;
                    Log.Back(_logger, _options.Server);
                }
            }
        }

        if (connection == ConnectionType.Subscription)
        {
            _ = Task.Run(() => SubscribeAgainAsync(multiplexer));
        }

        Restored?.Invoke();
    }

    private static partial class Log
    {
        [LoggerMessage(1140, LogLevel.Error, "{Problem} It is tried again until it answers.")]
        public static partial void Lost(ILogger logger, string problem);

        [LoggerMessage(1141, LogLevel.Information, "Redis at {Server} is connected again.")]
        public static partial void Back(ILogger logger, string server);

        [LoggerMessage(1142, LogLevel.Warning, "Messages of Redis are heard once it is connected again. {Problem}")]
        public static partial void SubscribedLater(ILogger logger, string problem);
    }
}
