using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Load;

/// <summary>
/// limit-check.js against the gateway's own limits, in memory and in a real Redis: never one permit too many.
/// </summary>
public sealed class LimitCheckTests
{
    private const string Settings = "VUS=12 EXPECTED_PERMITS=20 ATTEMPTS=80";

    // As in tests/load/README.md, with fewer permits. Nothing comes back during the test; and what Redis takes long to
    // count, on a busy machine, is not counted here instead.
    private const string Limits = """
        limits:
          timeout: 5s
          rules:
            - name: load-check
              to: [ "user:bob" ]
              classes: [ pull ]
              per: [ subject ]
              repositories: [ "team-a/load/limit" ]
              rate: 1
              window: 24h
              burst: 20
        """;

    [Fact]
    public async Task LimitCheck_InMemory_GivesExactlyTheBurst()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var gateway = await StartAsync(registry, Limits);

        await CountsExactlyAsync(gateway);
    }

    [Fact]
    public async Task LimitCheck_InRedis_GivesExactlyTheBurst()
    {
        await using var redis = new RedisProcess();
        await redis.StartAsync();
        await using var registry = await RegistryProcess.StartAsync();
        await using var gateway = await StartAsync(registry, $$"""
            {{Limits}}
            redis: { server: "{{redis.Address}}", timeout: 5s }
            """);

        await CountsExactlyAsync(gateway);
    }

    [Fact]
    public async Task LimitCheck_OtherRepository_IsNotLimitedAndTheScriptSaysSo()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var gateway = await StartAsync(registry, Limits);

        var run = await LoadFixture.RunAsync(
            gateway, LimitCheckScriptTests.Script, $"{Settings} LIMIT_REPOSITORY=team-a/load/free");

        // Every pull succeeds and, where no rule applies, has none of the headers that tell of one.
        run.EndedWith(LoadRun.ThresholdCrossed);
        Assert.Contains("threshold refusals count==60: CROSSED (found 0)", run.Output, StringComparison.Ordinal);
        Assert.Contains("pull: ratelimit-limit}: 0% (0 of 80)", run.Output, StringComparison.Ordinal);
        Assert.Contains("pull: 200 or 429}: 100% (80 of 80)", run.Output, StringComparison.Ordinal);
    }

    private static async Task CountsExactlyAsync(GatewayProcess gateway)
    {
        var run = await LoadFixture.RunAsync(gateway, LimitCheckScriptTests.Script, Settings);

        run.Succeeded();
        Assert.Equal("", run.Error);
        Assert.Contains("threshold permits count==20: holds (found 20)", run.Output, StringComparison.Ordinal);
        Assert.Contains("threshold refusals count==60: holds (found 60)", run.Output, StringComparison.Ordinal);

        // They are spent: a second race gets none of them.
        var again = await LoadFixture.RunAsync(gateway, LimitCheckScriptTests.Script, Settings);
        again.EndedWith(LoadRun.ThresholdCrossed);
        Assert.Contains("threshold permits count==20: CROSSED (found 0)", again.Output, StringComparison.Ordinal);
        Assert.Contains("threshold checks rate==1: holds", again.Output, StringComparison.Ordinal);
    }

    private static Task<GatewayProcess> StartAsync(RegistryProcess registry, string moreYaml) =>
        GatewayProcess.StartAsync(
        new GatewaySettings { Upstream = registry.Address, Host = "localhost", MoreYaml = moreYaml });
}
