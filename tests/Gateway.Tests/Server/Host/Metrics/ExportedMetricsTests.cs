using System.Diagnostics.Metrics;
using Gateway.Server.Host.Metrics;
using Gateway.Server.Store.State;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Host.Metrics;

/// <summary>The list of metrics against the instruments that a running gateway has.</summary>
public sealed class ExportedMetricsTests
{
    [Fact]
    public async Task List_AgainstARunningGateway_NamesInstrumentsAsTheyAre()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(
            upstream.Address, change: options => options.Redis = redis.Options);
        using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", "bob");
        var instruments = new Dictionary<(string, string), Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) => instruments[(instrument.Meter.Name, instrument.Name)] = instrument,
        };

        listener.Start();

        Assert.All(ExportedMetrics.All, metric =>
        {
            Assert.True(
                instruments.TryGetValue((metric.Meter, metric.Name), out var instrument), $"there is no {metric.Name}");
            Assert.Equal(metric.Unit, instrument.Unit ?? "");
            if (metric.Name != "dotnet.thread_pool.queue.length") // the runtime calls it a counter, and it is none
            {
                Assert.Equal(metric.Kind, KindOf(instrument));
            }
        });
        Assert.Equal(
            ExportedMetrics.All.Where(static metric => metric.Meter == ExportedMetrics.Own).Select(
                static metric => metric.Name).Order(),
            instruments.Values.Where(static instrument => instrument.Meter.Name == ExportedMetrics.Own)
                .Select(static instrument => instrument.Name).Order());
    }

    [Fact]
    public void List_OfItself_IsConsistent()
    {
        Assert.All(ExportedMetrics.All, static metric =>
        {
            Assert.True(metric.Labels.Count <= 3, metric.Name);
            Assert.Equal(metric.Kind == MetricKind.Histogram, metric.Bounds is not null);
            Assert.True(metric.Bounds is null || metric.Bounds.SequenceEqual(metric.Bounds.Order()), metric.Name);
            Assert.EndsWith(".", metric.Meaning, StringComparison.Ordinal);
        });
        Assert.Equal(
            ExportedMetrics.All.Count,
            ExportedMetrics.All.Select(static metric => metric.PrometheusName).Distinct().Count());
    }

    [Fact]
    public async Task RedisUp_WhileRedisComesAndGoes_FollowsIt()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var redis = await RedisServer.StartAsync();
        await using var gateway = await TestGateway.StartAsync(upstream.Address, change: options =>
        {
            options.Listen.Management = "127.0.0.1:0";
            options.Redis = redis.Options;
            options.State.Store = StateStoreKind.Redis;
        });

        await Scrape.UntilAsync(gateway, "gateway_redis_up", 1);
        await redis.KillAsync();
        var down = await Scrape.UntilAsync(gateway, "gateway_redis_up", 0);

        using var client = new HttpClient();
        using var ready = await client.GetAsync($"http://127.0.0.1:{gateway.PlainPorts[0]}/readyz");

        Assert.Contains("gateway_redis_up 0", down.Text, StringComparison.Ordinal);
        Assert.Contains("\"redis\":\"down\"", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(System.Net.HttpStatusCode.OK, ready.StatusCode); // degraded is not unready
    }

    private static MetricKind KindOf(Instrument instrument)
    {
        var type = instrument.GetType().Name;
        return type.Contains("Histogram", StringComparison.Ordinal) ? MetricKind.Histogram
            : type.Contains("UpDown", StringComparison.Ordinal) || type.Contains("Gauge", StringComparison.Ordinal)
            ? MetricKind.Gauge
            : MetricKind.Counter;
    }
}
