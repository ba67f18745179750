using Gateway.Foundation.Configuration;

namespace Gateway.Server.Host.Telemetry;

/// <summary>Export of metrics and traces. <c>/metrics</c> on the management listener does not need it.</summary>
public sealed class TelemetryOptions
{
    /// <summary>
    /// A collector that accepts OpenTelemetry's protocol; without it, nothing is sent and no traces are created.
    /// </summary>
    public OtlpOptions? Otlp { get; set; }

    /// <summary>Whether requests are traced.</summary>
    internal bool MakesTraces => Otlp is { Traces: true };
}

/// <summary>A collector that accepts OpenTelemetry's protocol.</summary>
public sealed class OtlpOptions
{
    /// <summary>
    /// The collector's URL, for example <c>http://collector:4317</c>. For <c>httpProtobuf</c> the base URL of
    /// <c>/v1/metrics</c> and <c>/v1/traces</c>, for example <c>https://otlp.example.com</c>. Over <c>https</c> the
    /// gateway trusts the system's certificate authorities.
    /// </summary>
    [RequiredSetting]
    public Uri? Endpoint { get; set; }

    /// <summary>The protocol that the collector accepts.</summary>
    public OtlpProtocol Protocol { get; set; } = OtlpProtocol.Grpc;

    /// <summary>Headers that the collector requires, as <c>name=value</c>, separated by commas.</summary>
    [SecretSetting]
    public string? Headers { get; set; }

    /// <summary>Whether to send metrics.</summary>
    public bool Metrics { get; set; } = true;

    /// <summary>How often metrics are sent: 1 second to 1 hour.</summary>
    public TimeSpan MetricsInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether to create and send traces.</summary>
    public bool Traces { get; set; } = true;

    /// <summary>
    /// The percentage of requests to trace: 0 to 100. The gateway chooses them, whatever a client's own trace asks for,
    /// so that no client can have everything recorded.
    /// </summary>
    public int TracedPercent { get; set; } = 10;
}

/// <summary>The protocol of a collector.</summary>
public enum OtlpProtocol
{
    /// <summary>gRPC over HTTP/2.</summary>
    Grpc,

    /// <summary>Protobuf over HTTP/1.1.</summary>
    HttpProtobuf,
}
