using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Audit;

/// <summary>
/// The trail of a real process: killed, told to open its file anew, and written to by a command beside it.
/// </summary>
public sealed class AuditProcessTests
{
    private static readonly Uri Manifest = new("/v2/team-a/app/manifests/v1", UriKind.Relative);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_UnderLoad_LosesOnlyLinesOfRequestsUnderWay(bool writeAhead)
    {
        await using var upstream = new YesUpstream();
        await using var gateway = await StartAsync(upstream.Address, $"writeAhead: {(writeAhead ? "true" : "false")}");
        var ended = new ConcurrentQueue<string>();
        var clients = Enumerable.Range(0, 8).Select(_ => RequestUntilGoneAsync(gateway, ended)).ToList();
        while (ended.Count < 2_000 && clients.TrueForAll(static client => !client.IsCompleted))
        {
            await Task.Delay(10);
        }

        Signal(gateway, "KILL");
        await Task.WhenAll(clients);

        var lines = Read(gateway);
        var recorded = lines.Where(static line => Text(line, "phase") == "end").Select(
            static line => Text(line, "requestId")).ToHashSet();
        Assert.True(ended.Count >= 2_000);
        Assert.DoesNotContain(ended, id => !recorded.Contains(id));
        if (writeAhead)
        {
            // What had an effect is on record before it, also of requests that never ended.
            var begun = lines.Count(static line => Text(line, "phase") == "begin");
            Assert.True(upstream.Requests.Count(static request => request.Target != "/v2/") <= begun);
        }

        var verified = await GatewayProcess.RunCommandAsync(["audit", "verify", "--config", gateway.ConfigurationFile]);
        Assert.True(verified.ExitCode == 0, verified.Output);
    }

    [Fact]
    public async Task Killed_WithWriteAhead_KeepsTheLineOfARequestThatTheUpstreamHolds()
    {
        using var reached = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        await using var upstream = new YesUpstream(request =>
        {
            if (request.Target != "/v2/")
            {
                reached.Set();
                release.Wait();
            }

            return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        });
        await using var gateway = await StartAsync(upstream.Address, "writeAhead: true");
        using var client = gateway.CreateClient("alice");

        var pull = client.GetAsync(Manifest);
        Assert.True(reached.Wait(TimeSpan.FromSeconds(30)));
        Signal(gateway, "KILL");
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => pull);
        release.Set();

        var line = Assert.Single(Read(gateway), static line => Text(line, "event") == "registry");
        Assert.Equal(("begin", "allow", "user:alice", "team-a/app", "v1"), (
            Text(line, "phase"), Text(line, "decision"), Text(line, "subject"), Text(line, "repository"),
            Text(line, "reference")));
        var found = await GatewayProcess.RunCommandAsync(
            ["audit", "search", "--config", gateway.ConfigurationFile, "--repository", "team-a/*"]);
        Assert.Contains("no end recorded", found.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hangup_AfterTheFileWasMovedAway_BeginsANewOneAndServesOn()
    {
        await using var upstream = new YesUpstream();
        await using var gateway = await StartAsync(upstream.Address, "onFailure: block");
        using var client = gateway.CreateClient("alice");
        using var before = await client.GetAsync(Manifest);
        var file = FileOf(gateway);
        File.Move(file, file + ".1");
        Signal(gateway, "HUP");
        await UntilAsync(() => gateway.Log.Contains("SIGHUP", StringComparison.Ordinal));

        using var after = await client.GetAsync(Manifest);

        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        await UntilAsync(() => File.Exists(file) && Read(gateway).Any(line => Text(line, "requestId") == IdOf(after)));
        Assert.DoesNotContain(IdOf(after), await File.ReadAllTextAsync(file + ".1"), StringComparison.Ordinal);
        var verified = await GatewayProcess.RunCommandAsync(["audit", "verify", file]);
        Assert.True(verified.ExitCode == 0, verified.Output);
        Assert.Contains("in 2 files", verified.Output, StringComparison.Ordinal);
        Assert.Equal(0, await gateway.TerminateAsync());
    }

    [Fact]
    public async Task Command_BesideARunningGateway_WritesIntoTheSameChain()
    {
        await using var upstream = new YesUpstream();
        await using var gateway = await StartAsync(upstream.Address, "onFailure: block");
        using var client = gateway.CreateClient("alice");
        using var before = await client.GetAsync(Manifest);
        string[] create = [
            "token", "create", "ci", "--config", gateway.ConfigurationFile, "--robot", "ci", "--scope", "**:pull",
            "--quiet",
        ];
        var made = await GatewayProcess.RunCommandAsync(create);
        using var after = await client.GetAsync(Manifest);

        Assert.Equal(0, made.ExitCode);
        await UntilAsync(() => Read(gateway).Any(line => Text(line, "requestId") == IdOf(after)));
        Assert.Contains(
            Read(gateway), static line => Text(line, "event") == "command" && Text(line, "command") == "token create");
        var credential = Assert.Single(Read(gateway), static line => Text(line, "event") == "credential");
        Assert.Equal(("create", "operator", "robot:ci", "robot"), (
            Text(credential, "action"), Text(credential, "by"), Text(credential, "owner"), Text(credential, "kind")));
        Assert.DoesNotContain(
            made.Output.Trim(), await File.ReadAllTextAsync(FileOf(gateway)), StringComparison.Ordinal);
        var verified = await GatewayProcess.RunCommandAsync(["audit", "verify", "--config", gateway.ConfigurationFile]);
        Assert.True(verified.ExitCode == 0, verified.Output);
    }

    [Fact]
    public async Task Stdout_AsTheOnlySink_GetsTheLinesBetweenTheLogs()
    {
        await using var upstream = new YesUpstream();
        await using var gateway = await StartAsync(upstream.Address, "stdout: true");
        using var client = gateway.CreateClient("alice");
        using var answer = await client.GetAsync(Manifest);

        await UntilAsync(() => gateway.Log.Contains($"\"requestId\":\"{IdOf(answer)}\"", StringComparison.Ordinal));

        Assert.False(File.Exists(FileOf(gateway)));
        var line = gateway.Log.Split('\n').Single(line => line.Contains(IdOf(answer), StringComparison.Ordinal));
        Assert.Equal("allow", Text(JsonDocument.Parse(line).RootElement, "decision"));
    }

    // Requests on one connection: the next begins only when the gateway is done with the one before, its line included.
    private static async Task RequestUntilGoneAsync(GatewayProcess gateway, ConcurrentQueue<string> ended)
    {
        using var client = gateway.CreateClient("alice");
        string? last = null;
        try
        {
            while (true)
            {
                using var answer = await client.GetAsync(Manifest);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                if (last is not null)
                {
                    ended.Enqueue(last);
                }

                last = IdOf(answer);
            }
        }
        catch (HttpRequestException)
        {
            // it is gone
        }
    }

    private static Task<GatewayProcess> StartAsync(Uri upstream, string audit) => GatewayProcess.StartAsync(
        new GatewaySettings { Upstream = upstream, MoreYaml = $"audit: {{ {audit} }}\n" });

    private static string FileOf(GatewayProcess gateway) => Path.Combine(gateway.Folder, "state", "audit.jsonl");

    private static List<JsonElement> Read(GatewayProcess gateway) =>
    [
        .. File.ReadAllText(FileOf(gateway)).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(static line => line.EndsWith('}'))
            .Select(static line => JsonDocument.Parse(line).RootElement),
    ];

    private static string Text(JsonElement line, string name) =>
        line.TryGetProperty(name, out var member) ? member.ToString() : "";

    private static string IdOf(HttpResponseMessage answer) => answer.Headers.GetValues("X-Request-Id").Single();

    private static void Signal(GatewayProcess gateway, string signal)
    {
        using var kill = System.Diagnostics.Process.Start(
            "kill", ["-" + signal, gateway.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; !condition(); i++)
        {
            Assert.True(i < 600, "it was not so after 30 seconds");
            await Task.Delay(50);
        }
    }
}
