namespace Gateway.Server.Host.Metrics;

/// <summary>One metric that leaves the gateway, with everything that may be said of it.</summary>
/// <param name="Meter">The meter it belongs to.</param>
/// <param name="Name">The instrument's name, by the conventions of OpenTelemetry.</param>
/// <param name="Kind">What its values are.</param>
/// <param name="Unit">Its unit in UCUM; one in braces only says what is counted.</param>
/// <param name="Labels">The attributes that are kept, three at most. Any other is summed over.</param>
/// <param name="Meaning">One line for a person.</param>
/// <param name="Bounds">The upper bounds of a histogram's buckets.</param>
internal sealed record MetricDefinition(
    string Meter, string Name, MetricKind Kind, string Unit, IReadOnlyList<string> Labels, string Meaning,
    double[]? Bounds = null)
{
    /// <summary>
    /// The name in the text of Prometheus: OpenTelemetry's "Prometheus and OpenMetrics Compatibility".
    /// </summary>
    public string PrometheusName { get; } = ToPrometheusName(Name, Kind, Unit);

    /// <summary>The labels in the text of Prometheus.</summary>
    public IReadOnlyList<string> PrometheusLabels { get; } = [
        .. Labels.Select(static label => label.Replace('.', '_')),
    ];

    private static string ToPrometheusName(string name, MetricKind kind, string unit)
    {
        var suffix = unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        var text = name.Replace('.', '_');
        text = text.EndsWith(suffix, StringComparison.Ordinal) ? text : text + suffix;
        return kind == MetricKind.Counter ? text + "_total" : text;
    }
}

/// <summary>What a metric's values are.</summary>
internal enum MetricKind
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>How many values fell below each bound.</summary>
    Histogram,
}
