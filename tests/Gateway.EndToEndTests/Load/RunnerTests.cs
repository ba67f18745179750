using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Load;

/// <summary>The Node runner does as k6 does, and refuses what it does not know.</summary>
public sealed class RunnerTests : IDisposable
{
    private const string Imports = """
        import { check, sleep } from 'k6';
        import http from 'k6/http';
        import { Counter, Rate, Trend } from 'k6/metrics';

        """;

    private const string Once = "scenarios: { one: { executor: 'per-vu-iterations', vus: 2, iterations: 3 } }";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-runner-");

    public RunnerTests()
    {
        // A script beside the runner finds k6 by the package's own name; one elsewhere as it would any package.
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "node_modules"));
        Directory.CreateSymbolicLink(Path.Combine(_folder.FullName, "node_modules", "k6"), LoadRun.Folder);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Run_ThresholdsHold_EndsWith0()
    {
        var run = await RunAsync($$"""
            const rounds = new Counter('rounds');
            const speed = new Trend('speed', true);
            export const options = { {{Once}}, thresholds: {
                rounds: ['count==6'], speed: ['p(95)<=6', 'max==6', 'min==1'], checks: ['rate==1'] } };
            export const setup = () => ({ given: [1, 2] });
            export default function (data) {
              check(data, { 'what setup gave': ({ given }) => given.length === 2 });
              rounds.add(1);
              speed.add((__VU - 1) * 3 + __ITER + 1);
            }
            export const teardown = (data) => console.log('torn down', data.given[1]);
            """);

        run.Succeeded();
        Assert.Contains("torn down 2", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ThresholdCrossed_EndsWith99()
    {
        var run = await RunAsync($$"""
            const rounds = new Counter('rounds');
            export const options = { {{Once}}, thresholds: { rounds: ['count==5'] } };
            export default () => rounds.add(1);
            """);

        run.EndedWith(LoadRun.ThresholdCrossed);
        Assert.Contains("threshold rounds count==5: CROSSED (found 6)", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_FailingCheck_IsCountedAndFailsNothingByItself()
    {
        var run = await RunAsync($$"""
            export const options = { {{Once}} };
            export default () => check(__ITER, { 'is even': (turn) => turn % 2 === 0 });
            """);

        run.Succeeded();
        Assert.Contains("checks{name:is even}: 66.667% (4 of 6)", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_RateWithoutSamples_HoldsAsInK6()
    {
        var run = await RunAsync($$"""
            export const options = { {{Once}}, thresholds: { checks: ['rate==1'] } };
            export default () => {};
            """);

        run.Succeeded();
        Assert.Contains("threshold checks rate==1: holds (found nothing)", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NobodyListens_IsAFailedRequestWithStatus0()
    {
        var run = await RunAsync($$"""
            export const options = { {{Once}}, thresholds: {
                'http_req_failed': ['rate==1'], 'http_req_duration{name:x}': ['max>=0'] } };
            const url = 'http://127.0.0.1:{{TestPaths.FreePort()}}/';
            export default () => check(http.get(url, { tags: { name: 'x' } }), {
              'status 0': ({ status }) => status === 0,
              'the reason': ({ error }) => error.includes('ECONNREFUSED'),
            }) || console.log('no');
            """);

        run.Succeeded();
        Assert.Equal("", run.Error);
    }

    [Fact]
    public async Task Run_IterationThrows_IsToldAndTheNextOneComes()
    {
        var run = await RunAsync($$"""
            export const options = { {{Once}}, thresholds: { iterations: ['count==6'] } };
            export default () => { throw new Error('broken off'); };
            """);

        run.Succeeded();
        Assert.Equal(6, run.Error.Split("Error: broken off").Length - 1);
    }

    [Theory]
    [InlineData("throw new Error('while read');", "while read")]
    [InlineData("export const setup = () => { throw new Error('in setup'); };", "in setup")]
    [InlineData("export const teardown = () => { throw new Error('in teardown'); };", "in teardown")]
    [InlineData("http.get('http://127.0.0.1/');", "requests are made in setup, teardown and scenarios only")]
    [InlineData(
        "export const setup = () => http.get('http://127.0.0.1/', { auth: 'basic' });",
        """a request's parameters has "auth", which this runner does not offer""")]
    [InlineData("export const setup = () => http.batch([]);", """k6/http has no "batch" in this runner""")]
    [InlineData("import ws from 'k6/ws';", "this runner does not offer it; use k6 itself")]
    [InlineData("import { hmac } from 'k6/crypto';", "named 'hmac': this runner does not offer it; use k6 itself")]
    public async Task Run_ExceptionOutsideIterations_EndsWith107(string line, string told)
    {
        var run = await RunAsync($$"""
            {{line}}
            export const options = { {{Once}} };
            export default () => {};
            """);

        run.EndedWith(LoadRun.Exception);
        Assert.Contains(told, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "vus: 1, duration: '1s'", "options has \"vus\", which this runner does not offer (it knows: scenarios,")]
    [InlineData(
        "scenarios: { one: { executor: 'ramping-arrival-rate' } }",
        "there is no executor \"ramping-arrival-rate\" in this runner")]
    [InlineData(
        "scenarios: { one: { executor: 'constant-vus', duration: '2s', gracefulStop: '1s' } }",
        "constant-vus has \"gracefulStop\"")]
    [InlineData("scenarios: { one: { executor: 'constant-vus', duration: '2 s' } }", "\"2 s\" is no duration")]
    [InlineData(
        "scenarios: { one: { executor: 'constant-vus', duration: '500ms' } }",
        "its duration in seconds is 0.5, less than 1")]
    [InlineData(
        "scenarios: { one: { executor: 'shared-iterations', vus: 2, iterations: 1 } }",
        "\"iterations\" is 1, less than 2")]
    [InlineData(
        "scenarios: { one: { executor: 'constant-vus', duration: '1s', exec: 'other' } }",
        "exports no function \"other\"")]
    [InlineData(
        Once + ", thresholds: { checks: ['rate>0.9 && rate<1'] }",
        "the threshold \"rate>0.9 && rate<1\" of the rate \"checks\" is not understood")]
    [InlineData(
        Once + ", thresholds: { checks: ['p(95)<1'] }",
        "the threshold \"p(95)<1\" of the rate \"checks\" is not understood")]
    [InlineData(
        Once + ", thresholds: { checks: [{ threshold: 'rate==1', abortOnFail: true }] }",
        "is not understood by this runner")]
    [InlineData(Once + ", thresholds: { chekcs: ['rate==1'] }", "a threshold is set on \"chekcs\"")]
    [InlineData(
        Once + ", thresholds: { 'http_reqs{status:200}': ['count>1'] }",
        "a threshold is set on \"http_reqs{status:200}\"")]
    public async Task Run_UnknownOption_IsRefusedNotIgnored(string options, string told)
    {
        var run = await RunAsync($$"""
            export const options = { {{options}} };
            export default () => {};
            """);

        run.EndedWith(LoadRun.WrongOptions);
        Assert.Contains(told, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--quiet", "\"--quiet\" is not understood")]
    [InlineData("-e", "\"-e\" is not understood")]
    [InlineData("--vus=2", "\"--vus=2\" is not understood")]
    public async Task Run_UnknownArgument_IsRefused(string argument, string told)
    {
        var run = await RunAsync($$"""export const options = { {{Once}} }; export default () => {};""", argument);

        run.EndedWith(LoadRun.WrongOptions);
        Assert.Contains(told, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--vus 3", 3)]
    [InlineData("--iterations 7 --vus 2", 7)]
    [InlineData("--iterations 4", 4)]
    public async Task Run_ScenarioOnCommandLine_ReplacesTheScripts(string arguments, int rounds)
    {
        var run = await RunAsync(
            $$"""export const options = { {{Once}} }; export default () => {};""", arguments.Split(' '));

        run.Succeeded();
        Assert.Contains($"  iterations: {rounds}\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_DurationOnCommandLine_EndsInTime()
    {
        var run = await RunAsync($$"""
            export const options = { {{Once}}, thresholds: { iterations: ['count>6'] } };
            export default () => sleep(0.01);
            """, "--duration", "1s", "--vus", "2");

        run.Succeeded();
    }

    [Fact]
    public async Task Run_ConstantArrivalRate_BeginsEachIterationOnce()
    {
        var run = await RunAsync("""
            export const options = { scenarios: { steady: {
              executor: 'constant-arrival-rate', rate: 5, timeUnit: '1s', duration: '2s', preAllocatedVUs: 4 } } };
            export default () => {};
            """);

        run.Succeeded();
        // On a machine that stands still, one that comes too late is dropped, and told: none is lost, none done twice.
        var counts = run.Output.Split('\n').Select(static line => line.Trim().Split(": "))
            .Where(static parts => parts[0] is "iterations" or "dropped_iterations")
            .Sum(static parts => int.Parse(parts[1], null));
        Assert.Equal(10, counts);
    }

    private async Task<CliResult> RunAsync(string script, params string[] arguments)
    {
        var file = Path.Combine(_folder.FullName, "script.mjs");
        await File.WriteAllTextAsync(file, Imports + script);
        return await LoadRun.RunAsync(file, "", arguments);
    }
}
