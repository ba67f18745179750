using System.Net;
using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Registry.Proxying;

/// <summary>Several replicas of a registry, and several registries by host.</summary>
public sealed class SeveralUpstreamsTests
{
    private const string Target = "/v2/team-a/app/tags/list";

    [Fact]
    public async Task Replicas_BothHealthy_ShareTheRequests()
    {
        await using var first = await RecordingUpstream.StartAsync();
        await using var second = await RecordingUpstream.StartAsync();
        await using var gateway = await StartAsync(first.Address, second.Address);

        for (var i = 0; i < 64; i++)
        {
            using var answer = await gateway.SendAsync(HttpMethod.Get, Target, "bob");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.NotEmpty(first.Requests);
        Assert.NotEmpty(second.Requests);
    }

    [Fact]
    public async Task Replica_ThatIsGone_CostsAtMostOneRequest()
    {
        await using var living = await RecordingUpstream.StartAsync();
        await using var gateway = await StartAsync(living.Address, new Uri($"http://127.0.0.1:{FreePort.Next()}"));

        var failed = 0;
        for (var i = 0; i < 64; i++)
        {
            using var answer = await gateway.SendAsync(HttpMethod.Get, Target, "bob");
            failed += answer.StatusCode == HttpStatusCode.OK ? 0 : 1;
        }

        Assert.InRange(failed, 0, 1); // none where the first probe was quicker
        Assert.Equal(64 - failed, living.Requests.Count);
    }

    [Fact]
    public async Task Replica_ThatFailsItsProbes_GetsNothingUntilItRecovers()
    {
        await using var good = await RecordingUpstream.StartAsync();
        await using var ill = await RecordingUpstream.StartAsync();
        ill.ProbeStatus = 503;
        await using var gateway = await StartAsync(good.Address, ill.Address);

        await UntilAsync(gateway, ill, getsRequests: false);
        ill.ProbeStatus = 200;
        await UntilAsync(gateway, ill, getsRequests: true);
    }

    [Fact]
    public async Task Replica_WhoseProbeAsksForCredentials_StaysInUse()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        upstream.ProbeStatus = 401;
        await using var other = await RecordingUpstream.StartAsync();
        await using var gateway = await StartAsync(upstream.Address, other.Address);

        await UntilAsync(gateway, upstream, getsRequests: true);
    }

    [Fact]
    public async Task Registries_ByHost_EachGetTheirOwnRequestsAndLocations()
    {
        await using var main = await RecordingUpstream.StartAsync();
        await using var partners = await RecordingUpstream.StartAsync();
        partners.Respond = static context =>
        {
            context.Response.StatusCode = 202;
            context.Response.Headers.Location = "/v2/app/blobs/uploads/u1?_state=x";
            return Task.CompletedTask;
        };
        await using var gateway = await TestGateway.StartAsync(
        [
            new RegistryOptions { Name = "main", Upstreams = [main.Address] },
            new RegistryOptions
            {
                Name = "partners",
                Upstreams = [partners.Address],
                Host = "partners.registry.test:8443",
            },
        ]);

        using var request = new HttpRequestMessage(
            HttpMethod.Post, "https://partners.registry.test:8443/v2/app/blobs/uploads/");
        request.Headers.TryAddWithoutValidation("Authorization", TestGateway.Basic("admin"));
        using var answer = await gateway.Client.SendAsync(request);
        using var other = await gateway.SendAsync(HttpMethod.Post, "/v2/app/blobs/uploads/", "admin");

        Assert.StartsWith(
            "https://partners.registry.test:8443/v2/app/blobs/uploads/u1?_ticket=", answer.Headers.Location!.ToString(),
            StringComparison.Ordinal);
        var seen = Assert.Single(partners.Requests);
        Assert.Equal("partners.registry.test:8443", seen.Headers["X-Forwarded-Host"]);
        Assert.Single(main.Requests);
    }

    [Fact]
    public async Task Rule_ForOneRegistry_GrantsNothingInAnother()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(
            [
                new RegistryOptions { Name = "main", Upstreams = [upstream.Address] },
                new RegistryOptions
                {
                    Name = "partners",
                    Upstreams = [upstream.Address],
                    Host = "partners.registry.test",
                },
            ],
            """
            rules:
              - { name: bob at partners, to: ["user:bob"], role: reader, on: ["**"], registries: [partners] }
            """);

        using var request = new HttpRequestMessage(HttpMethod.Get, "https://partners.registry.test" + Target);
        request.Headers.TryAddWithoutValidation("Authorization", TestGateway.Basic("bob"));
        using var granted = await gateway.Client.SendAsync(request);
        using var refused = await gateway.SendAsync(HttpMethod.Get, Target, "bob");

        Assert.Equal(HttpStatusCode.OK, granted.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    private static Task<TestGateway> StartAsync(params Uri[] upstreams) => TestGateway.StartAsync(
    [
        new RegistryOptions
        {
            Name = "main",
            Upstreams = [.. upstreams],
            HealthCheck = new HealthCheckOptions
            {
                Interval = TimeSpan.FromSeconds(1),
                Timeout = TimeSpan.FromSeconds(1),
            },
        },
    ]);

    // Until twenty requests in a row say so; the probes' clock is the real one here.
    private static async Task UntilAsync(TestGateway gateway, RecordingUpstream upstream, bool getsRequests)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        while (true)
        {
            var before = upstream.Requests.Count;
            for (var i = 0; i < 20; i++)
            {
                using var answer = await gateway.SendAsync(HttpMethod.Get, Target, "bob");
            }

            if (upstream.Requests.Count > before == getsRequests)
            {
                return;
            }

            await Task.Delay(100, limit.Token);
        }
    }
}
