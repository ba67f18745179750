using System.Globalization;
using System.Text;

namespace Gateway.Server.Host.Metrics;

/// <summary>Writes metrics as Prometheus reads them: its text format, version 0.0.4.</summary>
internal static class PrometheusText
{
    /// <summary>The format's media type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Appends one metric with all its series; nothing where it has none.</summary>
    public static void Append(StringBuilder text, MetricFamily family)
    {
        var definition = family.Definition;
        var name = definition.PrometheusName;
        var isFirst = true;
        foreach (var (labels, series) in family.Series)
        {
            if (isFirst)
            {
                isFirst = false;
                text.Append("# HELP ").Append(name).Append(' ');
                AppendEscaped(text, definition.Meaning, quotes: false);
                text.Append("\n# TYPE ").Append(name).Append(' ').Append(TypeOf(definition.Kind)).Append('\n');
            }

            if (definition.Kind == MetricKind.Histogram)
            {
                AppendHistogram(text, definition, labels, series);
            }
            else
            {
                AppendLine(text, definition, name, labels, series.Value);
            }
        }
    }

    private static string TypeOf(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Gauge => "gauge",
        _ => "histogram",
    };

    private static void AppendHistogram(
        StringBuilder text, MetricDefinition definition, in LabelValues labels, MetricSeries series)
    {
        // Read once: the count must be that of the last bucket, whatever is recorded meanwhile.
        var buckets = series.ReadBuckets();
        var count = 0L;
        for (var i = 0; i < buckets.Length; i++)
        {
            count += buckets[i];
            var bound = i < definition.Bounds!.Length ? Number(definition.Bounds[i]) : "+Inf";
            AppendLine(text, definition, definition.PrometheusName + "_bucket", labels, count, bound);
        }

        AppendLine(text, definition, definition.PrometheusName + "_sum", labels, series.Value);
        AppendLine(text, definition, definition.PrometheusName + "_count", labels, count);
    }

    private static void AppendLine(
        StringBuilder text, MetricDefinition definition, string name, in LabelValues labels, double value,
        string? bound = null)
    {
        text.Append(name);
        var separator = '{';
        for (var i = 0; i < definition.PrometheusLabels.Count; i++)
        {
            if (labels[i].Length > 0)
            {
                AppendLabel(definition.PrometheusLabels[i], labels[i]);
            }
        }

        if (bound is not null)
        {
            AppendLabel("le", bound);
        }

        text.Append(separator == ',' ? "} " : " ").Append(Number(value)).Append('\n');

        void AppendLabel(string label, string content)
        {
            text.Append(separator).Append(label).Append("=\"");
            AppendEscaped(text, content, quotes: true);
            text.Append('"');
            separator = ',';
        }
    }

    private static void AppendEscaped(StringBuilder text, string content, bool quotes)
    {
        foreach (var c in content)
        {
            _ = c switch
            {
                '\\' => text.Append(@"\\"),
                '\n' => text.Append(@"\n"),
                '"' when quotes => text.Append("\\\""),
                _ => text.Append(c),
            };
        }
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
