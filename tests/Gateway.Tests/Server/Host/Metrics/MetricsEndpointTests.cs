using System.Net;
using System.Text;
using Gateway.Server.Host.Metrics;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Host.Metrics;

/// <summary>What <c>/metrics</c> counts, and that Prometheus can read it.</summary>
public sealed class MetricsEndpointTests : IAsyncLifetime
{
    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _gateway = await TestGateway.StartAsync(_upstream.Address, change: static options =>
        {
            options.Listen.Http = "127.0.0.1:0";
            options.Listen.HttpHealth = true;
            options.Listen.Management = "127.0.0.1:0";
            options.Tokens.RefreshTokens = true;
        });
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Metrics_AfterEveryKindOfRequest_AreWellFormedByPrometheusOwnJudgement()
    {
        await SendAllKindsAsync();
        var scrape = await Scrape.UntilAsync(_gateway, "gateway_requests_total{operation=\"token\",outcome=\"ok\"}", 1);

        var (exitCode, output) = await Promtool.RunAsync(scrape.Text, "check", "metrics");

        Assert.True(exitCode == 0, output + scrape.Text);
    }

    [Fact]
    public async Task Metrics_OfRequests_CountEachOnceByOperationAndOutcome()
    {
        await SendAllKindsAsync();

        var scrape = await Scrape.UntilAsync(_gateway, "gateway_requests_total{operation=\"token\",outcome=\"ok\"}", 1);

        Assert.Equal(
            [
                "gateway_requests_total{operation=\"api\",outcome=\"ok\"} 1",
                "gateway_requests_total{operation=\"keys\",outcome=\"ok\"} 1",
                "gateway_requests_total{operation=\"other\",outcome=\"not_found\"} 2",
                "gateway_requests_total{operation=\"ping\",outcome=\"sign_in_refused\"} 1",
                "gateway_requests_total{operation=\"ping\",outcome=\"unauthenticated\"} 1",
                "gateway_requests_total{operation=\"put_manifest\",outcome=\"denied\"} 1",
                "gateway_requests_total{operation=\"read_manifest\",outcome=\"ok\"} 2",
                "gateway_requests_total{operation=\"token\",outcome=\"ok\"} 1",
            ],
            scrape.Text.Split('\n').Where(
                static line => line.StartsWith("gateway_requests_total{", StringComparison.Ordinal)));
        Assert.Equal(2, scrape["gateway_decision_duration_seconds_count{result=\"allowed\"}"]);
        Assert.Equal(1, scrape["gateway_decision_duration_seconds_count{result=\"denied\"}"]);
        Assert.Equal(
            2, scrape["gateway_upstream_duration_seconds_count{registry=\"main\",operation=\"read_manifest\"}"]);
        Assert.Equal(1, scrape["gateway_sign_ins_total{method=\"password\",outcome=\"refused\"}"]);
        Assert.Equal(5, scrape["gateway_sign_ins_total{method=\"password\",outcome=\"accepted\"}"]);
        Assert.Equal(1, scrape["gateway_tokens_issued_total{kind=\"access\"}"]);
        Assert.Equal(1, scrape["gateway_tokens_issued_total{kind=\"personal\"}"]);
    }

    // Both are answered 404, one by the gateway and one by the upstream.
    [Fact]
    public async Task Metrics_OfADeniedHeadOfABlob_AreOfADenialAndNotOfWhatIsMissing()
    {
        const string blob = "blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        };

        using var denied = await _gateway.SendAsync(HttpMethod.Head, $"/v2/team-b/app/{blob}", "bob");
        using var missing = await _gateway.SendAsync(HttpMethod.Head, $"/v2/team-a/app/{blob}", "bob");

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (denied.StatusCode, missing.StatusCode));
        await Scrape.UntilAsync(_gateway, "gateway_requests_total{operation=\"read_blob\",outcome=\"denied\"}", 1);
        await Scrape.UntilAsync(_gateway, "gateway_requests_total{operation=\"read_blob\",outcome=\"not_found\"}", 1);
    }

    [Fact]
    public async Task Metrics_OfAnUpload_CountBytesInBothDirections()
    {
        _upstream.Respond = static context => context.Response.Body.WriteAsync(new byte[1000]).AsTask();
        using var pulled = await _gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/blobs/sha256:" + new string('a', 64), "bob");
        await pulled.Content.CopyToAsync(Stream.Null);
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = 202;
            return Task.CompletedTask;
        };
        using var pushed = await _gateway.SendAsync(
            HttpMethod.Patch, _gateway.UploadTarget("alice"), "alice",
            new StreamContent(new MemoryStream(new byte[300_000])));

        var scrape = await Scrape.UntilAsync(_gateway, "gateway_bytes_total{direction=\"in\"}", 300_000);

        Assert.Equal(HttpStatusCode.Accepted, pushed.StatusCode);
        Assert.Equal(1000, scrape["gateway_bytes_total{direction=\"out\"}"]);
    }

    [Fact]
    public async Task Metrics_OfAnAnswerThatTheClientBreaksOff_SayAborted()
    {
        _upstream.Respond = static async context =>
        {
            context.Response.ContentLength = 1_000_000;
            await context.Response.Body.WriteAsync(new byte[100]);
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
        };
        using (var pulled = await _gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/blobs/sha256:" + new string('a', 64), "bob"))
        {
            var body = await pulled.Content.ReadAsStreamAsync();
            await body.ReadExactlyAsync(new byte[100]);
        }

        var scrape = await Scrape.UntilAsync(
            _gateway, "gateway_requests_total{operation=\"read_blob\",outcome=\"aborted\"}", 1);

        Assert.Equal(100, scrape["gateway_bytes_total{direction=\"out\"}"]);
    }

    [Fact]
    public async Task Metrics_OfLimits_NameTheRule()
    {
        var metrics = _gateway.Services.GetRequiredService<GatewayMetrics>();
        metrics.LimitHit("pulls");
        metrics.LimitHit("pulls");

        Assert.Equal(2, (await Scrape.ReadAsync(_gateway))["gateway_limit_hits_total{rule=\"pulls\"}"]);
    }

    [Fact]
    public async Task Metrics_OfWhatTheGatewayRemembers_TellHitsFromMisses()
    {
        for (var i = 0; i < 4; i++)
        {
            using var answer = await _gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", "bob");
        }

        var scrape = await Scrape.ReadAsync(_gateway);

        Assert.Equal(3, scrape["gateway_cache_lookups_total{cache=\"verified_passwords\",result=\"hit\"}"]);
        Assert.True(scrape["gateway_cache_lookups_total{cache=\"verified_passwords\",result=\"miss\"}"] >= 1);
    }

    [Fact]
    public async Task Metrics_OfState_TellRegistriesPartsCertificatesAndReloads()
    {
        var before = await Scrape.ReadAsync(_gateway);
        await File.WriteAllTextAsync(_gateway.PolicyFile, "rules: [ broken");
        await Scrape.UntilAsync(_gateway, "gateway_reload_failing{files=\"policies\"}", 1);
        await File.WriteAllTextAsync(_gateway.PolicyFile, TestGateway.DefaultPolicy);
        var after = await Scrape.UntilAsync(_gateway, "gateway_reload_failing{files=\"policies\"}", 0);

        Assert.Equal(1, before["gateway_upstream_up{registry=\"main\"}"]);
        Assert.Equal(1, before["gateway_part_up{part=\"state\"}"]);
        Assert.True(
            before["gateway_certificate_expiry_seconds{certificate=\"registry.test\",key=\"ecdsa\"}"] > 0, before.Text);
        Assert.Equal(0, before["gateway_reloads_total{files=\"policies\",outcome=\"taken\"}"]);
        Assert.Equal(1, after["gateway_reloads_total{files=\"policies\",outcome=\"taken\"}"]);
        Assert.True(after["gateway_reloads_total{files=\"policies\",outcome=\"refused\"}"] >= 1);
        Assert.True(
            after["gateway_reload_last_success_timestamp_seconds{files=\"policies\"}"]
            > before["gateway_reload_last_success_timestamp_seconds{files=\"policies\"}"]);
        Assert.DoesNotContain("gateway_redis_up", before.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_WhateverClientsSend_HoldNothingOfTheirChoosing()
    {
        for (var i = 0; i < 20; i++)
        {
            using var pulled = await _gateway.SendAsync(
                HttpMethod.Get, $"/v2/team-a/canary{i}/manifests/canary{i}", "bob", null, ("User-Agent", "canary"));
            using var other = await _gateway.SendAsync(
                new HttpMethod("CANARY" + i), $"/canary{i}?canary", null, null,
                ("Authorization", $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes("canary:canary"))}"));
            using var elsewhere = await _gateway.Client.GetAsync(
                $"https://{TestGateway.Host}/v2/", HttpCompletionOption.ResponseHeadersRead);
            await _gateway.SendRawAsync($"GET /v2/ HTTP/1.1\r\nHost: canary{i}.example\r\nConnection: close\r\n\r\n");
        }

        var scrape = await Scrape.UntilAsync(
            _gateway, "gateway_requests_total{operation=\"other\",outcome=\"not_found\"}", 20);

        Assert.DoesNotContain("canary", scrape.Text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0, scrape["gateway_metrics_dropped_total"]);
    }

    [Fact]
    public async Task Metrics_OnAListenerForClients_AreNotThere()
    {
        using var tls = await _gateway.SendAsync(HttpMethod.Get, "/metrics", "admin");
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using var plain = await client.GetAsync($"http://127.0.0.1:{_gateway.PlainPorts[0]}/metrics");
        await using var without = await TestGateway.StartAsync(_upstream.Address);
        using var alone = await without.SendAsync(HttpMethod.Get, "/metrics", "admin");

        Assert.Equal(HttpStatusCode.NotFound, tls.StatusCode);
        Assert.Equal(HttpStatusCode.PermanentRedirect, plain.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, alone.StatusCode);
    }

    [Fact]
    public async Task Metrics_OfTheWatching_AreNotCounted()
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_gateway.PlainPorts[1]}") };
        for (var i = 0; i < 5; i++)
        {
            await client.GetStringAsync(new Uri("/readyz", UriKind.Relative));
        }

        var scrape = await Scrape.ReadAsync(_gateway);

        Assert.DoesNotContain("gateway_requests_total", scrape.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("http_server_request_duration_seconds_count", scrape.Text, StringComparison.Ordinal);
        using var posted = await client.PostAsync(new Uri("/metrics", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, posted.StatusCode);
    }

    [Fact]
    public async Task Metrics_OfTwoGatewaysInOneProcess_AreKeptApart()
    {
        await using var other = await TestGateway.StartAsync(
            _upstream.Address, change: static options => options.Listen.Management = "127.0.0.1:0");
        using var answer = await other.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", "bob");
        await Scrape.UntilAsync(other, "gateway_requests_total{operation=\"read_manifest\",outcome=\"ok\"}", 1);

        var scrape = await Scrape.ReadAsync(_gateway);

        Assert.DoesNotContain("gateway_requests_total", scrape.Text, StringComparison.Ordinal);
    }

    private async Task SendAllKindsAsync()
    {
        using var ping = await _gateway.SendAsync(HttpMethod.Get, "/v2/");
        using var wrong = await _gateway.SendAsync(
            HttpMethod.Get, "/v2/", null, null, ("Authorization", "Basic " + Convert.ToBase64String("bob:wrong"u8)));
        using var pulled = await _gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", "bob");
        using var pulledAgain = await _gateway.SendAsync(HttpMethod.Head, "/v2/team-a/app/manifests/v1", "bob");
        using var denied = await _gateway.SendAsync(
            HttpMethod.Put, "/v2/team-a/app/manifests/v1", "bob", new ByteArrayContent([1]));
        using var lost = await _gateway.SendAsync(HttpMethod.Get, "/nothing");
        using var wrongCase = await _gateway.SendAsync(HttpMethod.Get, "/TOKEN");
        using var keys = await _gateway.SendAsync(HttpMethod.Get, "/.well-known/jwks.json");
        using var body = new StringContent(
            """{"name": "laptop", "scopes": ["team-a/**:pull"]}""", Encoding.UTF8, "application/json");
        using var made = await _gateway.SendAsync(HttpMethod.Post, "/api/v1/tokens", "bob", body);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        using var token = await _gateway.SendAsync(
            HttpMethod.Get, $"/token?service={TestGateway.Host}&scope=repository:team-a/app:pull", "bob");
        Assert.Equal(HttpStatusCode.OK, token.StatusCode);
    }
}
