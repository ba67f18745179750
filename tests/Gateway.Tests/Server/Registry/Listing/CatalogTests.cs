using System.Globalization;
using System.Net;
using System.Text.Json;
using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Registry.Listing;

/// <summary>The catalog: exactly what the caller may pull, whatever pages the upstream gives.</summary>
public sealed class CatalogTests : IAsyncLifetime
{
    private const string Policy = """
        rules:
          - { name: admin, to: ["user:admin"], role: owner, on: ["**"] }
          - { name: alice, to: ["user:alice"], role: reader, on: ["even/**"] }
          - { name: public, to: [anonymous, authenticated], role: reader, on: ["public"] }
        """;

    private RecordingUpstream _upstream = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        var names = Enumerable.Range(0, 500)
            .Select(
                static i => string.Create(CultureInfo.InvariantCulture, $"{(i % 2 == 0 ? "even" : "odd")}/r{i:000}"))
            .Append("public").Order(StringComparer.Ordinal).ToArray();
        _upstream.Respond = UpstreamPages.Of(names, 1_000);
    }

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    [Theory]
    [InlineData(1, 1_000)]
    [InlineData(7, 1_000)]
    [InlineData(251, 1_000)]
    [InlineData(1_000, 1_000)]
    [InlineData(7, 50)] // an upstream whose greatest page is smaller than what the gateway asks first
    [InlineData(100, 100)]
    public async Task Catalog_WalkedPageByPage_IsCompleteAndHoldsNothingElse(int pageSize, int upstreamLimit)
    {
        var all = Enumerable.Range(0, 250).Select(
            static i => string.Create(CultureInfo.InvariantCulture, $"even/r{i * 2:000}"))
            .Append("public").ToArray();
        var everything = Enumerable.Range(0, 250).Select(
            static i => string.Create(CultureInfo.InvariantCulture, $"odd/r{(i * 2) + 1:000}"))
            .Concat(all).Order(StringComparer.Ordinal).ToArray();
        _upstream.Respond = UpstreamPages.Of(everything, upstreamLimit);
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, Policy);

        var (alice, pages) = await WalkAsync(gateway, "alice", pageSize);
        var (admin, _) = await WalkAsync(gateway, "admin", pageSize);
        var (bob, _) = await WalkAsync(gateway, "bob", pageSize);
        var (nobody, _) = await WalkAsync(gateway, TestGateway.Nobody, pageSize);

        Assert.Equal(all, alice);
        Assert.Equal((all.Length + pageSize - 1) / pageSize, pages); // no empty last page
        Assert.Equal(everything, admin);
        Assert.Equal(["public"], bob);
        Assert.Equal(["public"], nobody);
    }

    [Theory]
    [InlineData("/v2/_catalog?n=1001", HttpStatusCode.BadRequest)]
    [InlineData("/v2/_catalog?n=1000000", HttpStatusCode.BadRequest)]
    [InlineData("/v2/_catalog?n=9223372036854775807", HttpStatusCode.BadRequest)]
    [InlineData("/v2/_catalog?n=0000000000000", HttpStatusCode.OK)]
    [InlineData("/v2/_catalog?n=0", HttpStatusCode.OK)]
    [InlineData("/v2/_catalog?last=zzz", HttpStatusCode.OK)]
    public async Task Catalog_AtTheEdges_IsAnsweredAsByTheRegistry(string target, HttpStatusCode expected)
    {
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, Policy);

        using var answer = await gateway.SendAsync(HttpMethod.Get, target, "alice");

        Assert.Equal(expected, answer.StatusCode);
        if (expected == HttpStatusCode.OK)
        {
            Assert.Equal("""{"repositories":[]}""", await answer.Content.ReadAsStringAsync());
            Assert.False(answer.Headers.Contains("Link"));
        }
    }

    [Fact]
    public async Task Catalog_OverSeveralRegistries_ListsEachByItsPublicName()
    {
        await using var mirror = await RecordingUpstream.StartAsync();
        await using var own = await RecordingUpstream.StartAsync();
        _upstream.Respond = UpstreamPages.Of(["app", "mirror/hidden-behind-the-prefix", "zoo"], 1_000);
        mirror.Respond = UpstreamPages.Of(["library/alpine", "library/busybox"], 1_000);
        own.Respond = UpstreamPages.Of(["elsewhere"], 1_000);
        await using var gateway = await TestGateway.StartAsync(
            [
                new RegistryOptions { Name = "main", Upstreams = [_upstream.Address] },
                new RegistryOptions
                {
                    Name = "mirror",
                    Upstreams = [mirror.Address],
                    Prefix = "mirror",
                    StripPrefix = true,
                },
                new RegistryOptions { Name = "own", Upstreams = [own.Address], Host = "own.registry.test" },
            ],
            Policy);

        var (whole, _) = await WalkAsync(gateway, "admin", 100);
        var (paged, pages) = await WalkAsync(gateway, "admin", 1);

        Assert.Equal(["mirror/library/alpine", "mirror/library/busybox", "app", "zoo"], whole);
        Assert.Equal(whole, paged);
        Assert.Equal(4, pages);
        Assert.Empty(own.Requests);
    }

    [Fact]
    public async Task Catalog_ForACallerWhoMayDoNothing_IsEmptyAndAsksNobody()
    {
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, "rules: [ { name: alice, to: [\"user:alice\"], role: reader, on: [\"even/**\"] } ]");

        using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/_catalog", "bob");

        Assert.Equal("""{"repositories":[]}""", await answer.Content.ReadAsStringAsync());
        Assert.Empty(_upstream.Requests);
    }

    [Theory]
    [InlineData("alice")]
    [InlineData(TestGateway.Nobody)]
    public async Task Catalog_OfOneCallersManySlowWalks_KeepsNobodyElseWaiting(string many)
    {
        var slow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = 0;
        var quick = UpstreamPages.Of(["public"], 1_000);
        _upstream.Respond = async context =>
        {
            // Of different pages: walks of the same one are shared.
            if (context.Request.Query["last"].ToString().StartsWith("slow", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref running);
                await slow.Task;
            }

            await quick(context);
        };
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, Policy);
        (await gateway.SendAsync(HttpMethod.Get, "/v2/", many)).Dispose(); // hashes the password, once for all below
        var walks = Enumerable.Range(0, 12)
            .Select(i => gateway.SendAsync(HttpMethod.Get, $"/v2/_catalog?last=slow{i}", many)).ToArray();
        await Eventually.TrueAsync(() => Volatile.Read(ref running) >= 2);

        using var other = await gateway.SendAsync(HttpMethod.Get, "/v2/_catalog", "admin");

        var most = Volatile.Read(ref running);
        slow.SetResult();
        var answers = await Task.WhenAll(walks);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.All(
            answers,
            static answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.TooManyRequests));
        Assert.Equal(2, most);
    }

    [Fact]
    public async Task Catalog_WhenTheUpstreamIsDown_Is502AndNotAnEmptyList()
    {
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, Policy);
        await _upstream.DisposeAsync();

        using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/_catalog", "admin");

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
    }

    private static async Task<(List<string> Names, int Pages)> WalkAsync(
        TestGateway gateway, string? user, int pageSize)
    {
        var names = new List<string>();
        var pages = 0;
        var target = (string?)string.Create(CultureInfo.InvariantCulture, $"/v2/_catalog?n={pageSize}");
        while (target is not null)
        {
            using var answer = await gateway.SendAsync(HttpMethod.Get, target, user);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            using var json = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync());
            names.AddRange(
                json.RootElement.GetProperty("repositories").EnumerateArray().Select(static e => e.GetString()!));
            pages++;
            target = answer.Headers.TryGetValues("Link", out var links) ? links.Single().Split('<', '>')[1] : null;
        }

        return (names, pages);
    }
}
