using System.Collections.Frozen;
using System.Diagnostics.Metrics;

namespace Gateway.Server.Host.Metrics;

/// <summary>
/// Listens to the instruments of <see cref="ExportedMetrics"/> and keeps their values for <c>/metrics</c>.
/// </summary>
/// <remarks>
/// A listener of our own: OpenTelemetry's exporter for Prometheus has only pre-releases, and keeps whatever labels
/// come. Several gateways in one process, as in tests, keep theirs apart by the scope of their meters.
/// </remarks>
internal sealed partial class MetricStore : IDisposable
{
    private readonly FrozenDictionary<MetricDefinition, MetricFamily> _families =
        ExportedMetrics.All.ToFrozenDictionary(static metric => metric, static metric => new MetricFamily(metric));

    private readonly MeterListener _listener = new();
    private readonly HashSet<MetricFamily> _observed = [];
    private readonly Lock _reading = new();
    private readonly ILogger _logger;

    /// <param name="meters">The factory whose meters are this gateway's.</param>
    /// <param name="logger">Told where a value could not be read.</param>
    public MetricStore(IMeterFactory meters, ILogger<MetricStore> logger)
    {
        _logger = logger;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope is { } scope && !ReferenceEquals(scope, meters))
            {
                return; // another gateway's
            }

            if (ExportedMetrics.Find(instrument.Meter.Name, instrument.Name) is { } definition)
            {
                var family = _families[definition];
                if (instrument.IsObservable)
                {
                    lock (_observed)
                    {
                        _observed.Add(family);
                    }
                }

                listener.EnableMeasurementEvents(instrument, family);
            }
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => Record(family, value, tags));
        _listener.Start();
    }

    /// <summary>Measurements left out for want of room.</summary>
    public long Dropped => _families.Values.Sum(static family => family.Dropped);

    /// <summary>
    /// Reads what is only told when asked, and has everything written, in the order of the definitions.
    /// </summary>
    public void Read(Action<MetricFamily> write)
    {
        lock (_reading) // two scrapes at once would add each other's values up
        {
            lock (_observed)
            {
                foreach (var family in _observed)
                {
                    family.Clear();
                }
            }

            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException exception)
            {
                Log.NotReadable(_logger, exception.Flatten().InnerExceptions[0].Message);
            }

            foreach (var metric in ExportedMetrics.All)
            {
                write(_families[metric]);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private static void Record(object? family, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        ((MetricFamily)family!).Record(value, tags);

    private static partial class Log
    {
        [LoggerMessage(1700, LogLevel.Warning, "Some metrics could not be read and are missing this time: {Problem}")]
        public static partial void NotReadable(ILogger logger, string problem);
    }
}
