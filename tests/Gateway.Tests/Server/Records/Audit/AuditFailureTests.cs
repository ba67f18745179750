using System.Net;
using System.Text.Json;
using Gateway.Server.Records.Audit;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Records.Audit;

/// <summary>
/// A disk that is full, and one that has room again: /dev/full behind a link that the test turns round.
/// </summary>
public sealed class AuditFailureTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private RecordingUpstream _upstream = null!;

    private string FilePath => Path.Combine(_folder.Path, "audit.jsonl");

    public async Task InitializeAsync() => _upstream = await RecordingUpstream.StartAsync();

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FullDisk_Blocking_AnswersEverythingWith503BeforeAnyEffect(bool writeAhead)
    {
        await using var gateway = await StartAsync(AuditFailureMode.Block, writeAhead);
        await Eventually.TrueAsync(async () => await ReadyAsync(gateway) == HttpStatusCode.ServiceUnavailable);

        using var pull = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", "alice");
        using var anonymous = await gateway.SendAsync(
            HttpMethod.Get, "/v2/public/app/manifests/v1", TestGateway.Nobody);
        using var token = await gateway.SendAsync(HttpMethod.Get, "/token?service=registry.test", "alice");
        using var guess = await gateway.SendAsync(
            HttpMethod.Get, "/v2/", null, null, ("Authorization", "Basic " + Convert.ToBase64String("alice:guess"u8)));
        using var api = await gateway.SendAsync(
            HttpMethod.Post, "/api/v1/tokens", "alice",
            new StringContent("""{"name":"x"}""", null, "application/json"));

        Assert.All(
            new[] { pull, anonymous, token, guess, api },
            static answer => Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode));
        Assert.Contains(
            "cannot write the audit trail", await anonymous.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("UNAVAILABLE", JsonDocument.Parse(await pull.Content.ReadAsStringAsync()).RootElement
            .GetProperty("errors")[0].GetProperty("code").GetString());
        Assert.Equal("5", pull.Headers.RetryAfter!.ToString());
        Assert.Empty(_upstream.Requests);
    }

    [Fact]
    public async Task FullDisk_ThatGetsRoom_IsServedAgainAndTheOutageIsRecorded()
    {
        await using var gateway = await StartAsync(AuditFailureMode.Block);
        await Eventually.TrueAsync(async () => await ReadyAsync(gateway) == HttpStatusCode.ServiceUnavailable);
        using var refused = await gateway.SendAsync(HttpMethod.Get, "/v2/public/app/manifests/v1", TestGateway.Nobody);
        MakeRoom();

        await Eventually.TrueAsync(async () => await ReadyAsync(gateway) == HttpStatusCode.OK);
        using var pull = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", "alice");
        await AuditRecords.OfAsync(gateway, pull);

        Assert.Equal(HttpStatusCode.OK, pull.StatusCode);
        Assert.Single(_upstream.Requests);
        var lines = AuditRecords.Read(FilePath);
        Assert.Equal(
            ["outage", "start", "registry", "registry"], lines.Select(static line => line.Text("event")).Take(4));
        Assert.Equal(("block", "0"), (lines[0].Text("onFailure"), lines[0].Text("lost")));
        // what was refused meanwhile
        Assert.Equal(("error", "503"), (lines[2].Text("decision"), lines[2].Text("status")));
    }

    [Fact]
    public async Task FullDisk_DroppingAndCounting_ServesAndSaysSoAfterwards()
    {
        await using var gateway = await StartAsync(AuditFailureMode.DropAndCount, writeAhead: true);
        await Eventually.TrueAsync(async () =>
            (await ReadAsync(gateway, "/readyz")).Contains("\"audit\":\"down\"", StringComparison.Ordinal));
        using var pull = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/manifests/v1", "alice");

        Assert.Equal(HttpStatusCode.OK, pull.StatusCode);
        Assert.Equal(HttpStatusCode.OK, await ReadyAsync(gateway)); // degraded, and serving
        Assert.Single(_upstream.Requests);
        MakeRoom();
        var outage = await AuditRecords.FindAsync(gateway, static line => line.Text("event") == "outage");
        Assert.Equal("dropAndCount", outage.Text("onFailure"));
        Assert.Equal(
            "dropAndCount",
            (await AuditRecords.FindAsync(gateway, static line => line.Text("event") == "start")).Text("onFailure"));
        await AuditRecords.OfAsync(gateway, pull);
    }

    [Fact]
    public async Task Chain_AfterAnOutage_Holds()
    {
        await using (var gateway = await StartAsync(AuditFailureMode.Block))
        {
            await Eventually.TrueAsync(async () => await ReadyAsync(gateway) == HttpStatusCode.ServiceUnavailable);
            MakeRoom();
            await Eventually.TrueAsync(async () => await ReadyAsync(gateway) == HttpStatusCode.OK);
        }

        var verifier = new AuditVerifier(new HashChain(null));
        verifier.Verify([FilePath]);
        Assert.Empty(verifier.Findings);
        Assert.Equal(
            ["outage", "start", "stop"], AuditRecords.Read(FilePath).Select(static line => line.Text("event")));
    }

    private static async Task<HttpStatusCode> ReadyAsync(TestGateway gateway)
    {
        using var answer = await gateway.SendAsync(HttpMethod.Get, "/readyz");
        return answer.StatusCode;
    }

    private static async Task<string> ReadAsync(TestGateway gateway, string target)
    {
        using var answer = await gateway.SendAsync(HttpMethod.Get, target);
        return await answer.Content.ReadAsStringAsync();
    }

    private Task<TestGateway> StartAsync(AuditFailureMode mode, bool writeAhead = false)
    {
        FullDisk.Fill(FilePath);
        return TestGateway.StartAsync(_upstream.Address, change: options =>
        {
            options.Audit.File.Path = FilePath;
            options.Audit.OnFailure = mode;
            options.Audit.WriteAhead = writeAhead;
        });
    }

    private void MakeRoom() => FullDisk.MakeRoom(FilePath);
}
