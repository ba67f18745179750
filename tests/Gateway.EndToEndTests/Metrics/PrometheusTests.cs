using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Metrics;

/// <summary>A real Prometheus with the delivered alerts, reading a real gateway.</summary>
public sealed class PrometheusTests
{
    [Fact]
    public async Task Prometheus_WithTheDeliveredFiles_ReadsTheGatewayAndEveryPanelOfTheDashboard()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings { Upstream = registry.Address });
        using var client = gateway.CreateClient("alice");
        using var start = await client.PostAsync(new Uri("/v2/team-a/app/blobs/uploads/", UriKind.Relative), null);
        var folder = Directory.CreateTempSubdirectory("gateway-prometheus-").FullName;
        try
        {
            var delivered = Path.Combine(TestPaths.Repository, "compose", "observability");
            File.Copy(Path.Combine(delivered, "alerts.yml"), Path.Combine(folder, "alerts.yml"));
            var configuration = await File.ReadAllTextAsync(Path.Combine(delivered, "prometheus.yml"));
            await File.WriteAllTextAsync(
                Path.Combine(folder, "prometheus.yml"),
                configuration.Replace("gateway:8081", gateway.Management.Authority, StringComparison.Ordinal)
                    .Replace("15s", "1s", StringComparison.Ordinal));
            var port = TestPaths.FreePort().ToString(CultureInfo.InvariantCulture);
            await using var prometheus = ServerProcess.Start(
                "prometheus",
                new ProcessStartInfo(
                    "prometheus",
                    [
                        "--config.file=" + Path.Combine(folder, "prometheus.yml"),
                        "--storage.tsdb.path=" + Path.Combine(folder, "data"),
                        "--web.listen-address=127.0.0.1:" + port,
                    ]),
                Path.Combine(folder, "prometheus.log"),
                TimeSpan.FromSeconds(20));
            using var api = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

            await prometheus.WaitUntilReadyAsync(
                async () => await QueryAsync(
                    api, "gateway_requests_total{operation=\"start_upload\",outcome=\"ok\"}") == "1",
                TimeSpan.FromSeconds(60));

            Assert.Equal("1", await QueryAsync(api, "up{job=\"gateway\"}"));
            using var dashboard = JsonDocument.Parse(
                await File.ReadAllTextAsync(Path.Combine(delivered, "dashboard.json")));
            foreach (var target in dashboard.RootElement.GetProperty("panels").EnumerateArray()
                .Where(static panel => panel.TryGetProperty("targets", out _))
                .SelectMany(static panel => panel.GetProperty("targets").EnumerateArray()))
            {
                // Fails where Prometheus does not understand it.
                await QueryAsync(api, target.GetProperty("expr").GetString()!
                    .Replace("$__rate_interval", "1m", StringComparison.Ordinal)
                    .Replace("$instance", ".*", StringComparison.Ordinal));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <returns>The first value; empty where there is none, or where Prometheus does not listen yet.</returns>
    private static async Task<string> QueryAsync(HttpClient api, string expression)
    {
        HttpResponseMessage answer;
        try
        {
            answer = await api.GetAsync(
                new Uri("/api/v1/query?query=" + Uri.EscapeDataString(expression), UriKind.Relative));
        }
        catch (HttpRequestException)
        {
            return "";
        }

        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync();
            if (answer.StatusCode == System.Net.HttpStatusCode.ServiceUnavailable)
            {
                return ""; // it is starting
            }

            Assert.True(answer.IsSuccessStatusCode, $"{expression}: {text}");
            using var json = JsonDocument.Parse(text);
            var results = json.RootElement.GetProperty("data").GetProperty("result");
            return results.GetArrayLength() == 0 ? "" : results[0].GetProperty("value")[1].GetString()!;
        }
    }
}
