using System.Net;
using Gateway.Foundation.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Registry.Authorization;

/// <summary>Policies that must pass their own questions before they are used.</summary>
public sealed class TestedPoliciesTests
{
    private const string Question = """
        tests:
          - { name: bob reads, subject: "user:bob", action: pull, repository: team-a/app, expect: allow }
        """;

    [Fact]
    public async Task Start_WithAFailingQuestion_IsRefusedOnlyWhereTold()
    {
        await using var upstream = await RecordingUpstream.StartAsync();

        var refused = await Assert.ThrowsAsync<ProblemException>(() => StartAsync(upstream, "rules: []", tested: true));
        await using var untested = await StartAsync(upstream, "rules: []", tested: false);
        await using var passing = await StartAsync(upstream, TestGateway.DefaultPolicy, tested: true);

        Assert.Contains("bob reads", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reload_WithAFailingQuestion_KeepsThePoliciesInForce()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await StartAsync(upstream, TestGateway.DefaultPolicy, tested: true, management: true);

        await File.WriteAllTextAsync(gateway.PolicyFile, "rules: []");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        using var client = new HttpClient();
        var ready = new Uri($"http://127.0.0.1:{gateway.PlainPorts[0]}/readyz");
        while (!(await client.GetStringAsync(ready, limit.Token)).Contains("degraded", StringComparison.Ordinal))
        {
            await Task.Delay(50, limit.Token); // polls the running program; its clock is the real one here
        }

        using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/team-a/app/tags/list", "bob");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static Task<TestGateway> StartAsync(
        RecordingUpstream upstream, string policy, bool tested, bool management = false) =>
        TestGateway.StartAsync(upstream.Address, policy, options =>
        {
            File.WriteAllText(Path.Combine(options.Policies, "questions.test.yaml"), Question);
            options.TestPolicies = tested;
            options.Listen.Management = management ? "127.0.0.1:0" : "";
        });
}
