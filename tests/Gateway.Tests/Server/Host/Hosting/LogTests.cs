using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.Host.Hosting;

/// <summary>What the log must never hold: a secret, or what somebody else's bytes make of a terminal.</summary>
public sealed class LogTests
{
    [Fact]
    public async Task Log_AtItsMostTalkative_HoldsNoSecret()
    {
        using var log = new LogSink();
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(
            [
                new RegistryOptions
                {
                    Name = "main",
                    Upstreams = [upstream.Address],
                    Credential = new UpstreamCredentialOptions { Username = "gw", Password = "canary-upstream" },
                },
            ],
            change: static options => options.Log.Level = LogLevel.Trace,
            customize: builder => builder.Logging.AddProvider(log));
        var upload = gateway.UploadTarget("alice", upstreamQuery: "?_state=canary-state");
        string[] secrets =
        [
            "alice-password", TestGateway.Basic("alice")["Basic ".Length..], "canary-wrong",
            Base64("bob:canary-wrong"), "canary-cookie", "canary-state", "canary-token", "canary-upstream",
            Base64("gw:canary-upstream"), upload.Split("_ticket=")[1], "canary-digits",
        ];

        using var pulled = await gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/manifests/v1", "alice", null, ("Cookie", "session=canary-cookie"));
        using var uploaded = await gateway.SendAsync(
            HttpMethod.Patch, upload, "alice", new ByteArrayContent([1]));
        using var other = await gateway.SendAsync(HttpMethod.Patch, upload, "admin");
        using var invented = await gateway.SendAsync(
            HttpMethod.Patch, "/v2/team-a/app/blobs/uploads/u?_ticket=canary-digits", "alice");
        using var denied = await gateway.SendAsync(
            HttpMethod.Patch, upload.Replace("team-a/app", "other", StringComparison.Ordinal), "alice");
        using var wrong = await gateway.SendAsync(
            HttpMethod.Get, "/v2/", null, null, ("Authorization", "Basic " + Base64("bob:canary-wrong")));
        using var token = await gateway.SendAsync(
            HttpMethod.Get, "/v2/", null, null, ("Authorization", "Bearer canary-token"));
        await upstream.DisposeAsync();
        using var failed = await gateway.SendAsync(HttpMethod.Patch, upload, "alice");

        var lines = log.Lines;
        Assert.Contains(lines, static line => line.Contains("Denied", StringComparison.Ordinal));
        Assert.Contains(lines, static line => line.Contains("failed", StringComparison.Ordinal));
        Assert.Contains(lines, static line => line.Contains("another subject's ticket", StringComparison.Ordinal));
        Assert.All(
            secrets, secret => Assert.DoesNotContain(lines, line => line.Contains(secret, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("/v2/team-a/app/manifests/v1", "SSH-2.0\u001b[2J\u0007 of the upstream\r\n")]
    [InlineData("/v2/_catalog", "SSH-2.0\u001b[2J\u0007 of the upstream\r\n")]
    public async Task Log_OfWhatAnUpstreamSaid_HoldsNoControlCharacter(string target, string nonsense)
    {
        using var log = new LogSink();
        await using var upstream = new RawUpstream(nonsense);
        await using var gateway = await TestGateway.StartAsync(
            upstream.Address,
            change: static options => options.Log.Level = LogLevel.Information,
            customize: builder => builder.Logging.AddProvider(log));

        using var answer = await gateway.SendAsync(HttpMethod.Get, target, "admin");

        Assert.Contains(log.Lines, static line => line.Contains("of the upstream", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, static line => line.Any(static c => char.IsControl(c)));
    }

    [Theory]
    [InlineData("/v2/team-a/app/manifests/v1")]
    [InlineData("/v2/_catalog")]
    public async Task Log_OfAClientThatLeaves_DoesNotBlameTheUpstream(string target)
    {
        using var log = new LogSink();
        await using var upstream = await RecordingUpstream.StartAsync();
        var started = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        upstream.Respond = async context =>
        {
            using var _ = context.RequestAborted.Register(cancelled.SetResult);
            await context.Response.Body.WriteAsync("{"u8.ToArray());
            await context.Response.Body.FlushAsync();
            started.SetResult();
            await cancelled.Task;
        };
        await using var gateway = await TestGateway.StartAsync(
            upstream.Address,
            change: static options => options.Log.Level = LogLevel.Information,
            customize: builder => builder.Logging.AddProvider(log));
        await using (var client = await gateway.ConnectAsync())
        {
            await client.WriteAsync(System.Text.Encoding.ASCII.GetBytes(
                $"GET {target} HTTP/1.1\r\nHost: registry.test\r\nAuthorization: {TestGateway.Basic("admin")}\r\n\r\n"));
            await started.Task;
        }

        await cancelled.Task;
        await gateway.Services.GetRequiredService<IHost>().StopAsync(); // waits for every request

        Assert.DoesNotContain(log.Lines, static line => line.StartsWith("Warning", StringComparison.Ordinal));
    }

    private static string Base64(string credentials) =>
        Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(credentials));
}
