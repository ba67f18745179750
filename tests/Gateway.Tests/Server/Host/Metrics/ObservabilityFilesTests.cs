using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Server.Host.Metrics;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Host.Metrics;

/// <summary>Alerts, dashboard and documentation name the metrics that there are, and no others.</summary>
public sealed partial class ObservabilityFilesTests
{
    private static readonly string Folder = Path.Combine(RepositoryRoot.Path, "compose", "observability");

    // Of Prometheus itself.
    private static readonly string[] Foreign = ["up", "ALERTS"];

    // What PromQL and Grafana write beside metrics and labels.
    private static readonly HashSet<string> Words =
    [
        "sum", "by", "rate", "increase", "histogram_quantile", "min", "max", "count", "time", "and", "or", "unless",
        "le",
        "instance", "job", "label_values", "__rate_interval",
    ];

    [Fact]
    public async Task Alerts_AreGoodRulesByPrometheusOwnJudgement()
    {
        var (exitCode, output) = await Promtool.RunAsync("", "check", "rules", Path.Combine(Folder, "alerts.yml"));

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task Alerts_FireWhereTheyShouldAndNowhereElse()
    {
        var (exitCode, output) = await Promtool.RunAsync("", "test", "rules", Path.Combine(Folder, "alerts.test.yml"));

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task Alerts_AllOfThem_AreTestedAndHaveSeverityAndText()
    {
        var rules = await File.ReadAllTextAsync(Path.Combine(Folder, "alerts.yml"));
        var tests = await File.ReadAllTextAsync(Path.Combine(Folder, "alerts.test.yml"));
        var names = AlertName().Matches(rules).Select(static match => match.Groups[1].Value).ToList();

        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.Contains($"alertname=\"{name}\"", tests, StringComparison.Ordinal));
        Assert.Equal(names.Count, rules.Split("severity:").Length - 1);
        Assert.Equal(names.Count, rules.Split("summary:").Length - 1);
        Assert.Equal(names.Count, rules.Split("description:").Length - 1);
    }

    [Fact]
    public async Task Configuration_ForPrometheus_IsGoodByItsOwnJudgement()
    {
        var (exitCode, output) = await Promtool.RunAsync("", "check", "config", Path.Combine(Folder, "prometheus.yml"));

        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task Alerts_NameOnlyMetricsAndLabelsThatThereAre()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Folder, "alerts.yml"));
        var expressions = AlertExpression().Matches(text).Select(static match => match.Groups[1].Value).ToList();

        Assert.Equal(AlertName().Count(text), expressions.Count);
        Assert.All(expressions, AssertKnown);
        foreach (Match label in TemplateLabel().Matches(text))
        {
            Assert.Contains(label.Groups[1].Value, AllLabels.Append("instance"));
        }
    }

    [Fact]
    public async Task Dashboard_NamesOnlyMetricsAndLabelsThatThereAre()
    {
        using var dashboard = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Folder, "dashboard.json")));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .Where(static panel => panel.GetProperty("type").GetString() != "row").ToList();

        Assert.True(panels.Count > 20, $"{panels.Count} panels");
        foreach (var target in panels.SelectMany(static panel => panel.GetProperty("targets").EnumerateArray()))
        {
            AssertKnown(target.GetProperty("expr").GetString()!);
            foreach (Match label in LegendLabel().Matches(target.GetProperty("legendFormat").GetString()!))
            {
                Assert.Contains(label.Groups[1].Value, AllLabels.Append("instance"));
            }
        }

        foreach (var variable in dashboard.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray())
        {
            if (variable.TryGetProperty("definition", out var definition))
            {
                AssertKnown(definition.GetString()!);
            }
        }
    }

    [Theory]
    [InlineData("rate(gateway_requests[5m])")]
    [InlineData("gateway_requests_total{verb=\"x\"}")]
    [InlineData("sum by (repository) (rate(gateway_requests_total[5m]))")]
    [InlineData("gateway_request_duration_seconds")]
    [InlineData("gateway_redis_up{rule=\"x\"}")]
    public void AssertKnown_OfWhatThereIsNot_Fails(string expression) =>
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertKnown(expression));

    [Fact]
    public async Task Documentation_ListsEveryMetricAsItIs()
    {
        var table = new StringBuilder("| metric | kind | labels | meaning | OpenTelemetry |\n|---|---|---|---|---|\n");
        foreach (var metric in ExportedMetrics.All)
        {
            var labels = string.Join(", ", metric.PrometheusLabels.Select(static label => $"`{label}`"));
            table.Append(
                CultureInfo.InvariantCulture,
                $"| `{metric.PrometheusName}` | {metric.Kind.ToString().ToLowerInvariant()} | {labels} | "
                    + $"{metric.Meaning} | `{metric.Name}`{(metric.Unit.Length > 0 ? ", " + metric.Unit : "")} |\n");
        }

        var page = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Path, "docs", "metrics.md"));

        Assert.True(
            page.Contains(table.ToString(), StringComparison.Ordinal),
            $"docs/metrics.md must hold this table:\n{table}");
    }

    private static IEnumerable<string> AllLabels =>
        ExportedMetrics.All.SelectMany(static metric => metric.PrometheusLabels).Distinct();

    // Every name in an expression is a metric, a label of a metric in it, or a word of the language.
    private static void AssertKnown(string expression)
    {
        var code = Quoted().Replace(expression, "\"\"").Replace("$__rate_interval", "5m", StringComparison.Ordinal);
        code = Range().Replace(code, "");
        var names = Name()
            .Matches(code)
            .Select(static match => match.Value)
            .Where(static name => !Words.Contains(name))
            .ToHashSet();
        var metrics = ExportedMetrics.All.Where(metric => SamplesOf(metric).Any(names.Contains)).ToList();
        var allowed = metrics.SelectMany(SamplesOf)
            .Concat(metrics.SelectMany(static metric => metric.PrometheusLabels))
            .Concat(Foreign);
        Assert.True(metrics.Count > 0 || names.Overlaps(Foreign), $"{expression} names no metric");
        Assert.Empty(names.Except(allowed));
    }

    private static string[] SamplesOf(MetricDefinition metric) => metric.Kind == MetricKind.Histogram
        ? [metric.PrometheusName + "_bucket", metric.PrometheusName + "_sum", metric.PrometheusName + "_count"]
        : [metric.PrometheusName];

    [GeneratedRegex("- alert: (\\w+)")]
    private static partial Regex AlertName();

    [GeneratedRegex("expr: (?:\\|\\n)?(.*?)\\n        (?:for|labels):", RegexOptions.Singleline)]
    private static partial Regex AlertExpression();

    [GeneratedRegex("\\$labels\\.(\\w+)")]
    private static partial Regex TemplateLabel();

    [GeneratedRegex("\\{\\{(\\w+)\\}\\}")]
    private static partial Regex LegendLabel();

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex("\\[[^]]*\\]")]
    private static partial Regex Range();

    [GeneratedRegex("[A-Za-z_][A-Za-z0-9_]*")]
    private static partial Regex Name();
}
