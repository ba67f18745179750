using System.Text;
using Gateway.Server.Host.Metrics;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Host.Metrics;

/// <summary>The text of Prometheus, to the letter.</summary>
public sealed class PrometheusTextTests
{
    private static readonly MetricDefinition Counter = new(
        "M", "gateway.some.things", MetricKind.Counter, "{thing}", ["a.b", "c"], "Back\\slash\nand \"quotes\".");

    private static readonly MetricDefinition Histogram = new(
        "M", "gateway.some.duration", MetricKind.Histogram, "s", ["c"], "Some time.", [0.1, 2.5]);

    [Fact]
    public async Task Append_Labels_AreEscapedAndInOrder()
    {
        var family = new MetricFamily(Counter);
        family.Record(2, [new("c", "z"), new("a.b", "1"), new("else", "dropped")]);
        family.Record(3, [new("c", "z"), new("a.b", "1"), new("else", "dropped too")]);
        family.Record(1, [new("c", "line\nbreak\"\\")]);
        family.Record(1, [new("a.b", 200), new("c", true)]);

        var text = Write(family);

        Assert.Equal(
            """
            # HELP gateway_some_things_total Back\\slash\nand "quotes".
            # TYPE gateway_some_things_total counter
            gateway_some_things_total{c="line\nbreak\"\\"} 1
            gateway_some_things_total{a_b="1",c="z"} 5
            gateway_some_things_total{a_b="200",c="True"} 1

            """,
            text);
        Assert.Equal((0, ""), await Promtool.RunAsync(text, "check", "metrics"));
    }

    [Fact]
    public async Task Append_Histogram_IsCumulative()
    {
        var family = new MetricFamily(Histogram);
        foreach (var value in new[] { 0.05, 0.1, 0.11, 2.5, 99 })
        {
            family.Record(value, [new("c", "x")]);
        }

        var text = Write(family);

        Assert.Equal(
            """
            # HELP gateway_some_duration_seconds Some time.
            # TYPE gateway_some_duration_seconds histogram
            gateway_some_duration_seconds_bucket{c="x",le="0.1"} 2
            gateway_some_duration_seconds_bucket{c="x",le="2.5"} 4
            gateway_some_duration_seconds_bucket{c="x",le="+Inf"} 5
            gateway_some_duration_seconds_sum{c="x"} 101.76
            gateway_some_duration_seconds_count{c="x"} 5

            """,
            text);
        Assert.Equal((0, ""), await Promtool.RunAsync(text, "check", "metrics"));
    }

    [Fact]
    public void Append_MetricWithoutASeries_IsLeftOut() => Assert.Equal("", Write(new MetricFamily(Counter)));

    [Fact]
    public void Record_MoreSeriesThanThereMayBe_CountsTheRestAndGoesOnWithTheKnown()
    {
        var family = new MetricFamily(Counter);
        for (var i = 0; i < MetricFamily.MostSeries + 5; i++)
        {
            family.Record(1, [new("c", $"v{i}")]);
        }

        family.Record(1, [new("c", "v0")]);

        Assert.Equal(MetricFamily.MostSeries, family.Series.Count());
        Assert.Equal(5, family.Dropped);
        Assert.Equal(2, family.Series.Single(static pair => pair.Key.Second == "v0").Value.Value);
    }

    [Fact]
    public async Task Record_FromManyThreads_LosesNothing()
    {
        var family = new MetricFamily(Histogram);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                family.Record(1, [new("c", i % 3 == 0 ? "x" : "y")]);
            }
        })));

        Assert.Equal(80_000, family.Series.Sum(static pair => pair.Value.ReadBuckets().Sum()));
        Assert.Equal(80_000, family.Series.Sum(static pair => pair.Value.Value));
    }

    [Fact]
    public void Record_OfAKnownSeries_AllocatesNothing()
    {
        var family = new MetricFamily(Histogram);
        KeyValuePair<string, object?>[] tags = [new("c", "x")];
        family.Record(1, tags);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1000; i++)
        {
            family.Record(1, tags);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static string Write(MetricFamily family)
    {
        var text = new StringBuilder();
        PrometheusText.Append(text, family);
        return text.ToString();
    }
}
