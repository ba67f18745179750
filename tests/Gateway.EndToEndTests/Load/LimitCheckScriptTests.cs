namespace Gateway.EndToEndTests.Load;

/// <summary>Whether limit-check.js counts exactly, shown on a registry whose permits are known.</summary>
public sealed class LimitCheckScriptTests
{
    /// <summary>The script's name.</summary>
    internal const string Script = "limit-check.js";

    private const string Settings = "ALICE_PASSWORD=a BOB_PASSWORD=b VUS=8 EXPECTED_PERMITS=20 ATTEMPTS=60";

    [Fact]
    public async Task Script_AsManyPermitsAsExpected_HoldsItsThresholds()
    {
        await using var registry = await LimitedRegistry.StartAsync(permits: 20);

        var run = await LoadRun.RunAsync(Script, $"GATEWAY_URL={registry.Address} {Settings}");

        run.Succeeded();
        Assert.Equal("", run.Error);
        Assert.Contains("threshold permits count==20: holds (found 20)", run.Output, StringComparison.Ordinal);
        Assert.Contains("threshold refusals count==40: holds (found 40)", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(19)]
    [InlineData(21)]
    public async Task Script_OnePermitOff_CrossesThresholds(int permits)
    {
        await using var registry = await LimitedRegistry.StartAsync(permits);

        var run = await LoadRun.RunAsync(Script, $"GATEWAY_URL={registry.Address} {Settings}");

        run.EndedWith(LoadRun.ThresholdCrossed);
        Assert.Contains(
            $"threshold permits count==20: CROSSED (found {permits})", run.Output, StringComparison.Ordinal);
        Assert.Contains("threshold checks rate==1: holds", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("61")]
    [InlineData("")]
    public async Task Script_RetryAfterOutOfBounds_CrossesThresholds(string retryAfter)
    {
        await using var registry = await LimitedRegistry.StartAsync(permits: 20, retryAfter);

        var run = await LoadRun.RunAsync(Script, $"GATEWAY_URL={registry.Address} {Settings}");

        run.EndedWith(LoadRun.ThresholdCrossed);
        Assert.Contains("refused: Retry-After from 1 to 60}: 0% (0 of 40)", run.Output, StringComparison.Ordinal);
        Assert.Contains("threshold permits count==20: holds", run.Output, StringComparison.Ordinal);
    }
}
