using System.Reflection;

namespace Gateway.EndToEndTests.Load;

/// <summary>The k6 scripts, for a few seconds each, against a real gateway and a real registry.</summary>
public sealed class LoadScriptTests(LoadFixture stack) : IClassFixture<LoadFixture>
{
    [Theory]
    [InlineData(
        "login-storm.js", "VUS=6 ITERATIONS=2 WRONG_EVERY=3", "signins: 12",
        "wrong password: 401 or 429}: 100% (2 of 2)")]
    [InlineData(
        "pull-storm.js", "VUS=4 RAMP=1s DURATION=2s LAYERS=2 LAYER_KIB=64", "blob get: what its digest says}: 100%")]
    [InlineData(
        "push.js", "VUS=3 DURATION=2s LAYERS=2 LAYER_KIB=64 CHUNK_KIB=24", "upload chunk: the range so far}: 100%")]
    [InlineData(
        "mixed-day.js", "RATE=10 DURATION=4s LAYER_KIB=16", "probe of no tag: 404}: 100%", "catalog: names}: 100%")]
    [InlineData(
        "soak.js", "VUS=3 DURATION=4s LAYER_KIB=16 PAUSE_MS=10", "signed in: 200}: 100%", "upload end: 201}: 100%")]
    public async Task Script_SmallScale_HoldsItsThresholds(string script, string settings, params string[] told)
    {
        var run = await stack.RunAsync(script, settings);

        run.Succeeded();
        Assert.Equal("", run.Error); // an iteration that threw is told there, and crosses no threshold by itself
        foreach (var text in told)
        {
            Assert.Contains(text, run.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Script_EveryOne_IsRunByATest()
    {
        var run = typeof(LoadScriptTests).GetMethod(nameof(Script_SmallScale_HoldsItsThresholds))!
            .GetCustomAttributes<InlineDataAttribute>()
            .Select(static data => (string)data.GetData(null!).Single()[0])
            .Append(LimitCheckScriptTests.Script);

        Assert.Equal(
            Directory.GetFiles(LoadRun.Folder, "*.js").Select(Path.GetFileName).Order(StringComparer.Ordinal),
            run.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Script_ReaderRefused_CrossesThresholds()
    {
        var run = await stack.RunAsync(
            "pull-storm.js", "VUS=2 RAMP=1s DURATION=1s LAYERS=1 LAYER_KIB=1 BOB_PASSWORD=wrong");

        run.EndedWith(LoadRun.ThresholdCrossed);
        Assert.Contains("threshold pulls count>0: CROSSED (found 0)", run.Output, StringComparison.Ordinal);
        Assert.Contains("threshold http_req_failed rate==0: CROSSED", run.Output, StringComparison.Ordinal);
        Assert.Contains("/token gave 401", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Script_WriterMayNotPush_EndsInSetup()
    {
        var run = await stack.RunAsync("pull-storm.js", "VUS=2 RAMP=1s DURATION=1s WRITER=bob");

        run.EndedWith(LoadRun.Exception);
        Assert.Contains("DENIED", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Script_PasswordMissing_SaysWhichAndWhereItIs()
    {
        var run = await LoadRun.RunAsync("push.js", "VUS=1 DURATION=1s WRITER=nobody-here");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains(
            "the password of nobody-here is not set (found: no NOBODY_HERE_PASSWORD). compose/up keeps it",
            run.Error,
            StringComparison.Ordinal);
    }
}
