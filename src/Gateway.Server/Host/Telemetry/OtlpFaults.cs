using System.Diagnostics;
using System.Diagnostics.Tracing;
using Gateway.Foundation.Text;

namespace Gateway.Server.Host.Telemetry;

/// <summary>
/// Tells the log, once a minute at most, that a collector cannot be reached: the exporter says it nowhere else.
/// </summary>
internal sealed partial class OtlpFaults(ILogger logger) : EventListener
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long _told;

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "OpenTelemetry-Exporter-OpenTelemetryProtocol")
        {
            EnableEvents(eventSource, EventLevel.Warning);
        }
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        lock (_gate)
        {
            if (_told != 0 && Stopwatch.GetElapsedTime(_told) < Interval)
            {
                return;
            }

            _told = Stopwatch.GetTimestamp();
        }

        Log.NotSent(logger, LogText.OneLine(Describe(eventData)));
    }

    // The rest of an exception's text is its stack.
    private static string Describe(EventWrittenEventArgs fault)
    {
        var values = (fault.Payload ?? []).Select(static value => (value?.ToString() ?? "").Split('\n')[0]);
        return $"{fault.EventName}: {string.Join(" ", values)}";
    }

    private static partial class Log
    {
        [LoggerMessage(1702, LogLevel.Warning,
            "Metrics or traces could not be sent to the collector, and some may be lost; "
            + "requests are not affected. {Problem}")]
        public static partial void NotSent(ILogger logger, string problem);
    }
}
