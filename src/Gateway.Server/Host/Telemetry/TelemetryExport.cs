using Gateway.Server.Host.Metrics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Gateway.Server.Host.Telemetry;

/// <summary>
/// Sends metrics and traces to the configured collector. A collector that is unavailable costs requests nothing.
/// </summary>
internal sealed class TelemetryExport(
    OtlpOptions options, ILogger<TelemetryExport> logger) : IHostedService, IDisposable
{
    // What an ending gateway still waits for.
    private const int FlushMilliseconds = 3_000;
    private const int SendMilliseconds = 10_000;

    private readonly OtlpFaults _faults = new(logger);
    private MeterProvider? _metrics;
    private TracerProvider? _traces;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Not the default resource, which reads OTEL_ variables: there is one place for settings.
        var resource = ResourceBuilder.CreateEmpty().AddService(
            "gateway", serviceVersion: StateInstruments.Version, serviceInstanceId: Environment.MachineName);
        if (options.Metrics)
        {
            _metrics = Sdk.CreateMeterProviderBuilder()
                .SetResourceBuilder(resource)
                .AddMeter([.. ExportedMetrics.Meters])
                .AddView(static instrument => ViewOf(instrument.Meter.Name, instrument.Name))
                .AddOtlpExporter((exporter, reader) =>
                {
                    Configure(exporter, "/v1/metrics");
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds =
                        (int)options.MetricsInterval.TotalMilliseconds;
                    reader.PeriodicExportingMetricReaderOptions.ExportTimeoutMilliseconds = SendMilliseconds;
                    reader.TemporalityPreference = MetricReaderTemporalityPreference.Cumulative;
                })
                .Build();
        }

        if (options.Traces)
        {
            _traces = Sdk.CreateTracerProviderBuilder()
                .SetResourceBuilder(resource)
                .SetSampler(new ShareSampler(options.TracedPercent))
                .AddSource(TracingMiddleware.Source, "Microsoft.AspNetCore", "System.Net.Http")
                .AddOtlpExporter(exporter => Configure(exporter, "/v1/traces"))
                .Build();
        }
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            _traces?.ForceFlush(FlushMilliseconds);
            _metrics?.ForceFlush(FlushMilliseconds);
        },
        CancellationToken.None);

    /// <inheritdoc/>
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
        _faults.Dispose();
    }

    // The same list and labels as at /metrics: a collector bounds nothing.
    private static MetricStreamConfiguration ViewOf(string meter, string instrument) =>
        ExportedMetrics.Find(meter, instrument) switch
        {
            null => MetricStreamConfiguration.Drop,
            { Bounds: { } bounds } metric => new ExplicitBucketHistogramConfiguration
            {
                Boundaries = bounds,
                TagKeys = [.. metric.Labels],
                CardinalityLimit = MetricFamily.MostSeries,
            },
            var metric => new MetricStreamConfiguration
            {
                TagKeys = [.. metric.Labels],
                CardinalityLimit = MetricFamily.MostSeries,
            },
        };

    private void Configure(OtlpExporterOptions exporter, string path)
    {
        exporter.Protocol = options.Protocol == OtlpProtocol.Grpc
            ? OtlpExportProtocol.Grpc
            : OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = options.Protocol == OtlpProtocol.Grpc
            ? options.Endpoint!
            : new Uri(options.Endpoint!.AbsoluteUri.TrimEnd('/') + path);
        exporter.Headers = options.Headers ?? "";
        exporter.TimeoutMilliseconds = SendMilliseconds;
    }
}
