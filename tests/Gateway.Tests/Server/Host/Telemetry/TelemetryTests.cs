using System.Net;
using Gateway.Server.Host.Telemetry;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.Host.Telemetry;

/// <summary>What is sent to a collector, and the trace context that registries get.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string ClientSpan = "b7ad6b7169203331";

    private RecordingUpstream _upstream = null!;

    public async Task InitializeAsync() => _upstream = await RecordingUpstream.StartAsync();

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    [Theory]
    [InlineData(OtlpProtocol.HttpProtobuf, "/v1/metrics", "/v1/traces")]
    [InlineData(
        OtlpProtocol.Grpc,
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export")]
    public async Task Collector_OfEitherProtocol_GetsMetricsAndSpansAndNoSecret(
        OtlpProtocol protocol, string metrics, string traces)
    {
        await using var collector = await CollectorServer.StartAsync(
            protocol == OtlpProtocol.Grpc ? HttpProtocols.Http2 : HttpProtocols.Http1);
        await using (var gateway = await StartAsync(collector, otlp => otlp.Protocol = protocol))
        {
            using var pulled = await gateway.SendAsync(
                HttpMethod.Get, "/v2/team-a/canary-app/manifests/v1", "bob", null,
                ("traceparent", $"00-{Trace}-{ClientSpan}-00"));
            using var uploaded = await gateway.SendAsync(
                HttpMethod.Patch, gateway.UploadTarget("alice", upstreamQuery: "?_state=canary-state"), "alice",
                new ByteArrayContent([1]));
            using var token = await gateway.SendAsync(HttpMethod.Get, "/token?scope=canary-query", "bob");

            await Eventually.TrueAsync(
                () => collector.Posts.Any(post => post.Path == metrics) && collector.Holds("gateway.requests")
                && collector.Posts.Any(post => post.Path == traces) && collector.HoldsId(Trace));
        }

        Assert.All(collector.Posts, static post => Assert.Equal("secret", post.Key));
        foreach (var name in new[]
        {
            "gateway.requests", "gateway.decision.duration", "gateway.certificate.expiry",
            "http.server.request.duration",
            "kestrel.active_connections", "GET read_manifest", "PATCH append_upload", "GET token", "decide",
            "http.response.status_code", "/v2/team-a/canary-app/manifests/v1", "service.name",
        })
        {
            Assert.True(collector.Holds(name), name);
        }

        foreach (var secret in new[]
        {
            "canary-state",
            "canary-query",
            "_ticket",
            "alice-password",
            TestGateway.Basic("alice"),
        })
        {
            Assert.False(collector.Holds(secret), secret);
        }
    }

    [Fact]
    public async Task TraceContext_WhereATraceIsMade_NamesTheGatewaysOwnSpanToTheRegistry()
    {
        await using var collector = await CollectorServer.StartAsync(HttpProtocols.Http1);
        await using (var gateway = await StartAsync(collector))
        {
            using var pulled = await gateway.SendAsync(
                HttpMethod.Get, "/v2/team-a/app/manifests/v1", "bob", null,
                ("traceparent", $"00-{Trace}-{ClientSpan}-00"), ("tracestate", "vendor=1"), ("baggage", "canary=1"),
                ("Correlation-Context", "canary=1"));
        }

        var headers = Assert.Single(_upstream.Requests).Headers;
        var parent = headers["traceparent"].Split('-');
        Assert.Equal(["00", Trace, "01"], [parent[0], parent[1], parent[3]]);
        Assert.NotEqual(ClientSpan, parent[2]);
        Assert.Equal("vendor=1", headers["tracestate"]);
        Assert.DoesNotContain(headers, static header => header.Value.Contains("canary", StringComparison.Ordinal));
        Assert.True(collector.HoldsId(Trace) && collector.HoldsId(parent[2]) && collector.HoldsId(ClientSpan));
    }

    [Fact]
    public async Task TraceContext_WhereTheClientAsksToBeRecorded_IsRecordedByTheConfiguredShareOnly()
    {
        await using var collector = await CollectorServer.StartAsync(HttpProtocols.Http1);
        await using (var gateway = await StartAsync(collector, static otlp => otlp.TracedPercent = 0))
        {
            using var pulled = await gateway.SendAsync(
                HttpMethod.Get, "/v2/team-a/app/manifests/v1", "bob", null,
                ("traceparent", $"00-{Trace}-{ClientSpan}-01"));
        }

        Assert.StartsWith(
            $"00-{Trace}-", Assert.Single(_upstream.Requests).Headers["traceparent"], StringComparison.Ordinal);
        Assert.EndsWith("-00", Assert.Single(_upstream.Requests).Headers["traceparent"], StringComparison.Ordinal);
        Assert.False(collector.HoldsId(Trace));
    }

    [Theory]
    [InlineData($"00-{Trace}-{ClientSpan}-01", "a=1,b=2", true, true)]
    [InlineData($"00-{Trace}-{ClientSpan}-01", "", true, false)]
    [InlineData($"00-{Trace}-{ClientSpan}-0g", "a=1", false, false)]
    [InlineData($"01-{Trace}-{ClientSpan}-01", "a=1", false, false)]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01", "a=1", false, false)]
    [InlineData($"00-{Trace}-0000000000000000-01", "a=1", false, false)]
    [InlineData("canary", "a=1", false, false)]
    [InlineData("", "a=1", false, false)]
    [InlineData($"00-{Trace}-{ClientSpan}-01", "long", true, false)]
    public async Task TraceContext_WhereNoTraceIsMade_GoesOnAsItCameIfItIsOne(
        string parent, string state, bool passesParent, bool passesState)
    {
        await using var gateway = await TestGateway.StartAsync(_upstream.Address);
        var sent = state == "long" ? "a=" + new string('x', 511) : state;

        using var pulled = await gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/manifests/v1", "bob", null, ("traceparent", parent), ("tracestate", sent));

        var headers = Assert.Single(_upstream.Requests).Headers;
        Assert.Equal(HttpStatusCode.OK, pulled.StatusCode);
        Assert.Equal(passesParent ? parent : null, headers.GetValueOrDefault("traceparent"));
        Assert.Equal(passesState ? sent : null, headers.GetValueOrDefault("tracestate"));
    }

    [Fact]
    public async Task Collector_ThatIsAway_CostsNoRequestAndIsToldOfInTheLog()
    {
        var collector = await CollectorServer.StartAsync(HttpProtocols.Http1);
        await collector.DisposeAsync();
        using var log = new LogSink();
        await using var gateway = await StartAsync(
            collector, customize: builder => builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(log));

        await Eventually.TrueAsync(
            () => log.Lines.Any(static line => line.Contains("could not be sent", StringComparison.Ordinal)));
        using var pulled = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", "bob");

        Assert.Equal(HttpStatusCode.OK, pulled.StatusCode);
        Assert.DoesNotContain(log.Lines, static line => line.Contains("secret", StringComparison.Ordinal));
    }

    private Task<TestGateway> StartAsync(
        CollectorServer collector, Action<OtlpOptions>? change = null,
        Action<WebApplicationBuilder>? customize = null) =>
        TestGateway.StartAsync(
            _upstream.Address,
            change: options =>
            {
                options.Telemetry.Otlp = new OtlpOptions
                {
                    Endpoint = collector.Address,
                    Protocol = OtlpProtocol.HttpProtobuf,
                    Headers = "x-key=secret",
                    MetricsInterval = TimeSpan.FromSeconds(1),
                    TracedPercent = 100,
                };
                change?.Invoke(options.Telemetry.Otlp);
            },
            customize: customize);
}
