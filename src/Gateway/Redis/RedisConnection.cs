using System.Globalization;
using System.Net;
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

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Action<string>> _handlers = [];
    private readonly RedisOptions _options;
    private readonly ConfigurationOptions _configuration;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private Task<ConnectionMultiplexer>? _connecting;
    private long _restored;
    private bool _lost;
    private bool _disposed;

    /// <summary>Prepares the connection; nothing is sent before it is used.</summary>
    /// <exception cref="Configuration.ProblemException">The file of authorities cannot be used.</exception>
    public RedisConnection(RedisOptions options, TimeProvider time, ILogger<RedisConnection> logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _configuration = Configure(options);
    }

    /// <summary>Raised after the connection came back: what was published meanwhile is lost.</summary>
    public event Action? Restored;

    /// <summary>How often the connection came back; who remembers something about the server asks it again then.</summary>
    public long Restorations => Volatile.Read(ref _restored);

    /// <summary>The key of a name: behind the configured prefix.</summary>
    public RedisKey Key(string name) => _options.KeyPrefix + name;

    /// <summary>Runs a script, which Redis runs whole or, where it is not answered in time, perhaps not at all.</summary>
    /// <param name="script">Lua.</param>
    /// <param name="keys">From <see cref="Key"/>.</param>
    /// <param name="values">Its arguments.</param>
    /// <param name="cancellationToken">Ends the waiting; the script may run all the same.</param>
    /// <exception cref="StateException">Redis is unreachable, too slow, or refused it.</exception>
    public Task<RedisResult> EvaluateAsync(
        string script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken) =>
        RunAsync((multiplexer, flags) => multiplexer.GetDatabase(_options.Database)
            .ScriptEvaluateAsync(script, keys, values, flags), cancellationToken);

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
        Task<ConnectionMultiplexer> connecting;
        lock (_gate)
        {
            _handlers[channel] = _handlers.TryGetValue(channel, out var others) ? others + handler : handler;
            if (_handlers[channel] != handler)
            {
                return; // the channel is subscribed already
            }

            connecting = _connecting is { IsFaulted: false } running ? running : _connecting = Task.Run(ConnectAsync);
        }

        try
        {
            var multiplexer = await connecting.WaitAsync(_options.Timeout, _time);
            await SubscribeAsync(multiplexer, channel).WaitAsync(_options.Timeout, _time);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            // The library has taken note of the subscription, and sends it once it is connected.
            Log.SubscribedLater(_logger, channel, Describe(exception).Message);
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

        if (connecting is not null)
        {
            try
            {
                // Not CloseAsync: it waits for answers that a hanging Redis never gives.
                (await connecting).Dispose();
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                // It never connected; there is nothing to close.
            }
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
        if (RedisTrust.Load(options) is { } trust)
        {
            configuration.CertificateValidation += trust.Validate;
        }

        return configuration;
    }

    private async Task<ConnectionMultiplexer> ConnectAsync()
    {
        // Forced: what follows must not run on the library's own reading thread.
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(_configuration)
            .ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        multiplexer.PreserveAsyncOrder = false; // with it, one answer's continuation holds up all answers behind it
        multiplexer.ConnectionFailed += (_, failure) => OnLost(failure.Exception);
        multiplexer.ConnectionRestored += (_, _) => OnRestored();
        if (!multiplexer.IsConnected)
        {
            OnLost(null);
        }

        return multiplexer;
    }

    private Task SubscribeAsync(ConnectionMultiplexer multiplexer, string channel) =>
        multiplexer.GetSubscriber().SubscribeAsync(_options.KeyPrefix + channel, (_, message) =>
        {
            Action<string> handler;
            lock (_gate)
            {
                handler = _handlers[channel];
            }

            handler((string?)message ?? "");
        });

    private async Task<T> RunAsync<T>(
        Func<ConnectionMultiplexer, CommandFlags, Task<T>> command, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        try
        {
            var multiplexer = await Connection().WaitAsync(_options.Timeout, _time, cancellationToken);
            try
            {
                return await command(multiplexer, CommandFlags.None).WaitAsync(Left(started), _time, cancellationToken);
            }
            catch (RedisServerException exception) when (exception.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
            {
                // Redis lost its scripts, as after SCRIPT FLUSH, and ran nothing; this sends the script itself.
                return await command(multiplexer, CommandFlags.NoScriptCache)
                    .WaitAsync(Left(started), _time, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            throw Describe(exception);
        }
        catch (ObjectDisposedException exception)
        {
            throw new StateException($"The connection to Redis at {_options.Server} is closed: the gateway is ending.", exception);
        }
    }

    private Task<ConnectionMultiplexer> Connection()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _connecting is { IsFaulted: false } connecting ? connecting : _connecting = Task.Run(ConnectAsync);
        }
    }

    private TimeSpan Left(long started)
    {
        var left = _options.Timeout - _time.GetElapsedTime(started);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    // The library's own messages run over several hundred characters of its counters.
    private StateException Describe(Exception exception)
    {
        var server = _options.Server;
        var message = exception switch
        {
            RedisServerException => $"Redis at {server} refused: {LogText.OneLine(exception.Message)}.",
            RedisConnectionException when Causes(exception).Any(static cause =>
                cause is System.Security.Authentication.AuthenticationException) =>
                $"Redis at {server} cannot be reached over TLS: its certificate is not trusted, or it does not speak TLS. "
                + "See redis.tls and redis.certificateAuthority.",
            RedisConnectionException when Causes(exception).Any(static cause =>
                cause.Message.Contains("NOAUTH", StringComparison.Ordinal)
                || cause.Message.Contains("WRONGPASS", StringComparison.Ordinal)) =>
                $"Redis at {server} refuses the password. See redis.password.",
            RedisConnectionException => $"Redis at {server} cannot be reached.",
            _ => string.Create(
                CultureInfo.InvariantCulture,
                $"Redis at {server} did not answer within {_options.Timeout.TotalMilliseconds} ms."),
        };
        return new StateException(message, exception);
    }

    private static IEnumerable<Exception> Causes(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            yield return exception;
        }
    }

    private void OnLost(Exception? exception)
    {
        // The library tells it for each of its two connections, and again for every attempt to come back.
        if (!Interlocked.Exchange(ref _lost, true) && !_disposed)
        {
            var problem = exception is RedisException ? Describe(exception).Message : $"Redis at {_options.Server} cannot be reached.";
            Log.Lost(_logger, problem);
        }
    }

    private void OnRestored()
    {
        Interlocked.Increment(ref _restored);
        if (Interlocked.Exchange(ref _lost, false))
        {
            Log.Back(_logger, _options.Server);
        }

        Restored?.Invoke();
    }

    private static partial class Log
    {
        [LoggerMessage(1140, LogLevel.Error, "{Problem} It is tried again until it answers.")]
        public static partial void Lost(ILogger logger, string problem);

        [LoggerMessage(1141, LogLevel.Information, "Redis at {Server} is connected again.")]
        public static partial void Back(ILogger logger, string server);

        [LoggerMessage(1142, LogLevel.Warning, "The channel {Channel} is subscribed once Redis is connected. {Problem}")]
        public static partial void SubscribedLater(ILogger logger, string channel, string problem);
    }
}
