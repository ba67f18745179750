using Gateway.Foundation.Configuration;

namespace Gateway.Server.Host.Telemetry;

/// <summary>Metrics and traces sent elsewhere. <c>/metrics</c> on the management listener needs none of this.</summary>
public sealed class TelemetryOptions
{
    /// <summary>A collector that takes OpenTelemetry's protocol; without it nothing is sent and no trace is made.</summary>
    public OtlpOptions? Otlp { get; set; }

    /// <summary>Whether requests are traced.</summary>
    internal bool MakesTraces => Otlp is { Traces: true };
}

/// <summary>A collector that takes OpenTelemetry's protocol.</summary>
public sealed class OtlpOptions
{
    /// <summary>
    /// Where it listens, for example <c>http://collector:4317</c>. For <c>httpProtobuf</c> the base of <c>/v1/metrics</c>
    /// and <c>/v1/traces</c>, for example <c>https://otlp.example.com</c>. Over <c>https</c> the system's authorities are trusted.
    /// </summary>
    [RequiredSetting]
    public Uri? Endpoint { get; set; }

    /// <summary>How it is spoken to.</summary>
    public OtlpProtocol Protocol { get; set; } = OtlpProtocol.Grpc;

    /// <summary>Headers that it asks for, as <c>name=value</c>, several with commas between them.</summary>
    [SecretSetting]
    public string? Headers { get; set; }

    /// <summary>Whether metrics are sent.</summary>
    public bool Metrics { get; set; } = true;

    /// <summary>How often metrics are sent: 1 second to 1 hour.</summary>
    public TimeSpan MetricsInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether traces are made and sent.</summary>
    public bool Traces { get; set; } = true;

    /// <summary>
    /// How many of a hundred requests are traced: 0 to 100. Chosen here, whatever a client's own trace asks for, so that
    /// no client can have everything recorded.
    /// </summary>
    public int TracedPercent { get; set; } = 10;
}

/// <summary>How a collector is spoken to.</summary>
public enum OtlpProtocol
{
    /// <summary>gRPC over HTTP/2.</summary>
    Grpc,

    /// <summary>Protobuf over HTTP/1.1.</summary>
    HttpProtobuf,
}
