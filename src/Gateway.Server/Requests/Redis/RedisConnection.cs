using System.Globalization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;
using StackExchange.Redis;

namespace Gateway.Server.Requests.Redis;

/// <summary>
/// The one connection to the Redis of the section <c>redis</c>. It is made when first needed, and again when lost.
/// </summary>
/// <remarks>
/// Every wait has a budget (<see cref="RedisOptions.Timeout"/>): while Redis hangs, the library lets calls wait for
/// seconds. Everything goes to the primary. A replica may lack what was revoked a moment ago, and must not be asked for
/// it.
/// </remarks>
internal sealed partial class RedisConnection : IAsyncDisposable
{
    // Of the library's own waiting: at least this, and as long as the longest budget. Four of them without any answer,
    // and it gives a connection up.
    private static readonly TimeSpan LeastTimeout = TimeSpan.FromSeconds(2);

    private readonly RedisOptions _options;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RedisLink _link;

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
        var topology = new RedisTopology(
            options, RedisTrust.Load(options), new[] { LeastTimeout, _timeout, longest }.Max());
        _link = new RedisLink(options, topology, _timeout, time, logger);
    }

    /// <summary>
    /// Raised after the connection recovered, and when another server became the primary: anything published meanwhile
    /// is lost.
    /// </summary>
    public event Action? Restored
    {
        add => _link.Restored += value;
        remove => _link.Restored -= value;
    }

    /// <summary>
    /// Whose answers are given now; who remembers something about the server asks again after a change.
    /// </summary>
    public RedisEpoch Epoch => _link.Epoch;

    /// <summary>
    /// Whether the primary is connected, as far as the library knows; <see langword="null"/> before the first use.
    /// </summary>
    public bool? IsConnected => _link.IsConnected;

    /// <summary>The key of a name: behind the configured prefix.</summary>
    public RedisKey Key(string name) => _link.Key(name);

    /// <summary>
    /// Runs a script, which Redis runs whole or, where it is not answered in time, perhaps not at all.
    /// </summary>
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

    /// <summary>
    /// Runs a script and reads its answer, whose shape may be another one than the script's own where something is
    /// between.
    /// </summary>
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
                $"Redis at {_options.Place} gave an unexpected answer:"
                    + $" {LogText.OneLine(exception.Message).TrimEnd('.')}.",
                exception);
        }
    }

    /// <summary>What Redis tells of itself in a section of <c>INFO</c>: lines of <c>name:value</c>.</summary>
    /// <exception cref="StateException">Redis is unreachable, too slow, or refused it.</exception>
    public async Task<string> ReadInfoAsync(string section, CancellationToken cancellationToken) =>
        await RunAsync(servers => _link.Primary(servers).InfoRawAsync(section), cancellationToken) ?? "";

    /// <summary>
    /// A value of Redis's configuration; <see langword="null"/> where it does not tell, as hosted ones do not.
    /// </summary>
    /// <exception cref="StateException">Redis is unreachable or too slow.</exception>
    public async Task<string?> ReadConfigurationAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var pairs = await RunAsync(servers => _link.Primary(servers).ConfigGetAsync(name), cancellationToken);
            return pairs is [{ Value: var value }] ? value : null;
        }
        catch (StateException exception) when (exception.InnerException is RedisServerException)
        {
            return null;
        }
    }

    /// <summary>
    /// How many listen to a channel, at all servers together: in a cluster each knows its own listeners alone.
    /// </summary>
    /// <param name="channel">Without the prefix, which is put before it.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="StateException">A server is unreachable, too slow, or refused it.</exception>
    public Task<long> CountListenersAsync(string channel, CancellationToken cancellationToken) => RunAsync(
        async servers => (await Task.WhenAll(servers.GetServers().Where(static server => server.IsConnected)
            .Select(server => server.SubscriptionSubscriberCountAsync(_link.Channel(channel))))).Sum(),
        cancellationToken);

    /// <summary>Subscribes a channel, now or as soon as Redis is there, and again whenever the connection is.</summary>
    /// <param name="channel">Without the prefix, which is put before it.</param>
    /// <param name="handler">Is given each message, on any thread. Messages get lost: never depend on one.</param>
    public async Task SubscribeAsync(string channel, Action<string> handler)
    {
        try
        {
            // Only the waiting ends with the budget, not the subscribing.
            await _link.SubscribeOnceConnectedAsync(channel, handler).WaitAsync(_timeout, _time);
        }
        catch (Exception exception)
        {
            Log.SubscribedLater(_logger, Describe(exception, _timeout).Message);
        }
    }

    public ValueTask DisposeAsync() => _link.DisposeAsync();

    private async Task<T> RunAsync<T>(
        Func<ConnectionMultiplexer, Task<T>> command, CancellationToken cancellationToken, TimeSpan? budget = null)
    {
        var timeout = budget ?? _timeout;
        var started = _time.GetTimestamp();
        try
        {
            await _link.TryConnectAsync().WaitAsync(timeout, _time, cancellationToken);
            var servers = _link.Servers
                ?? throw new InvalidOperationException("not connected yet");
            var left = timeout - _time.GetElapsedTime(started);
            return await command(servers).WaitAsync(
                left > TimeSpan.Zero ? left : TimeSpan.Zero, _time, cancellationToken);
        }
        catch (Exception exception)
            when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // All of them, whatever their family: some of the library's are no RedisException (RedisCommandException,
            // for what it does not even send), and one that got past here would be a 500 where a limit or a token
            // should be answered.
            throw Describe(exception, timeout);
        }
    }

    private RedisFailureException Describe(Exception exception, TimeSpan timeout)
    {
        var place = $"Redis at {_options.Place}";
        var reason = exception switch
        {
            // Keys of two slots are not even sent.
            RedisServerException { Kind: RedisErrorKind.CrossSlot or RedisErrorKind.Moved or RedisErrorKind.Ask }
                or RedisCommandException when !_options.HasHashTag => RedisTopologyException.NoHashTag with
                {
                    Text = $"{place} {RedisTopologyException.NoHashTag.Text}",
                },
            RedisServerException refused => new RedisReason(
                $"{place} refused: {LogText.OneLine(exception.Message).TrimEnd('.')}.", FaultOf(refused.Kind)),
            ObjectDisposedException when _link.IsClosed =>
                new RedisReason($"The connection to {place} is closed: the gateway is stopping."),
            RedisConnectionException or InvalidOperationException => // the latter: no server has the keys
                _link.Tell(_options.Sentinel is null && _link.Servers is { } servers && RedisTopology.IsReplica(servers)
                    ? RedisTopologyException.Replica : null),
            TimeoutException => new RedisReason(string.Create(
                CultureInfo.InvariantCulture, $"{place} did not answer within {timeout.TotalMilliseconds} ms.")),
            _ => new RedisReason($"{place} cannot be used: {LogText.OneLine(exception.Message).TrimEnd('.')}."),
        };
        return new RedisFailureException(reason, exception);
    }

    private static RedisFault FaultOf(RedisErrorKind kind) => kind switch
    {
        RedisErrorKind.ClusterDown or RedisErrorKind.CrossSlot or RedisErrorKind.Moved or RedisErrorKind.Ask =>
            RedisFault.Cluster,
        RedisErrorKind.NoAuth or RedisErrorKind.WrongPass => RedisFault.SignIn,
        RedisErrorKind.OutOfMemory => RedisFault.Memory,
        RedisErrorKind.ReadOnly or RedisErrorKind.Misconfigured or RedisErrorKind.NoPermission
            or RedisErrorKind.NoReplicas => RedisFault.ReadOnly,
        _ => RedisFault.Unavailable,
    };

    private static partial class Log
    {
        [LoggerMessage(1142, LogLevel.Warning,
            "The gateway receives messages from Redis once it is connected again. {Problem}")]
        public static partial void SubscribedLater(ILogger logger, string problem);
    }
}
