using System.Collections.Frozen;

namespace Gateway.Server.Host.Hosting;

/// <summary>
/// Leaves out single events of the framework that are no fault, whatever level they have there. The framework's own
/// filters know categories only, and each of these has events that must be seen.
/// </summary>
/// <param name="inner">What writes the rest; disposed of by what made it.</param>
/// <param name="time">The clock.</param>
internal sealed partial class EventFilterProvider(ILoggerProvider inner, TimeProvider time)
    : ILoggerProvider, ISupportExternalScope
{
    private const string Http2 = "Microsoft.AspNetCore.Server.Kestrel.Http2";
    private const int QueueExceeded = 60;

    // How often a condition is told that any client can bring about.
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private static readonly FrozenSet<(string Category, int Event)> LeftOut = FrozenSet.ToFrozenSet(
    [
        // "No XML encryptor configured", for each key made without tokens.keys.password: a setting, which docs/keys.md
        // explains. The keys lie in a folder that only the gateway reads.
        ("Microsoft.AspNetCore.DataProtection.KeyManagement.XmlKeyManager", 35),

        // "Exceeded the output operations maximum queue size", as critical with a stack trace for each stream: a client
        // without credentials that begins or resets streams faster than they can be ended. It is the only one of
        // Kestrel's errors that a client can cause. Kestrel has closed the connection; told below.
        (Http2, QueueExceeded),

        // "Hosting failed to start": "gateway serve" prints the same exception, as a line for people.
        ("Microsoft.Extensions.Hosting.Internal.Host", 11),
    ]);

    private readonly Lock _lock = new();
    private readonly ILogger _own = inner.CreateLogger(typeof(EventFilterProvider).FullName!);
    private long? _toldAt; // by the clock that nobody sets
    private int _untold;

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) =>
        LeftOut.Any(one => one.Category == categoryName)
            ? new Filter(this, inner.CreateLogger(categoryName), categoryName)
            : inner.CreateLogger(categoryName);

    /// <inheritdoc/>
    public void SetScopeProvider(IExternalScopeProvider scopeProvider) =>
        (inner as ISupportExternalScope)?.SetScopeProvider(scopeProvider);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void CountDropped()
    {
        int dropped;
        lock (_lock)
        {
            _untold++;
            if (_toldAt is { } toldAt && time.GetElapsedTime(toldAt) < Interval)
            {
                return;
            }

            (dropped, _untold, _toldAt) = (_untold, 0, time.GetTimestamp());
        }

        Log.ConnectionClosed(_own, dropped);
    }

    private sealed class Filter(EventFilterProvider provider, ILogger inner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (!LeftOut.Contains((category, eventId.Id)))
            {
                inner.Log(logLevel, eventId, state, exception, formatter);
            }
            else if (category == Http2)
            {
                provider.CountDropped();
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1803, LogLevel.Warning,
            "A client started HTTP/2 requests faster than they could be ended, and its connection was closed. Requests "
            + "dropped since the last such line: {Count}. Other clients are not affected.")]
        public static partial void ConnectionClosed(ILogger logger, int count);
    }
}
