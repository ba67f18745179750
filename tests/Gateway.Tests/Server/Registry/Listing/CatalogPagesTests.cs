using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Server.Registry.Listing;
using Gateway.Server.Registry.Policies;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Registry.Listing;

/// <summary>
/// The upstream's pages, shared by all callers for half a minute; and each caller's own view of them.
/// </summary>
public sealed class CatalogPagesTests : IAsyncLifetime
{
    private const string Policy = """
        rules:
          - { name: admin, to: ["user:admin"], role: owner, on: ["**"] }
          - { name: alice, to: ["user:alice"], role: reader, on: ["team-07/kept/*"] }
        """;

    // What Distribution has: "/" sorts before every other character.
    private static readonly Comparer<string> ByComponents = Comparer<string>.Create(
        static (one, other) => string.CompareOrdinal(one.Replace('/', '\0'), other.Replace('/', '\0')));

    private static readonly Comparer<string> Backwards = Comparer<string>.Create(
        static (one, other) => string.CompareOrdinal(other, one));

    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private RecordingUpstream _upstream = null!;
    private UpstreamPages _pages = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        Serve(Names(10_000), ByComponents);
    }

    public async Task DisposeAsync() => await _upstream.DisposeAsync();

    [Fact]
    public async Task Catalog_ForFiftyCallersAtOnce_IsWalkedOnceAndGivesEachTheirOwn()
    {
        using var folder = new TemporaryFolder();
        var users = Path.Combine(folder.Path, "users");
        await File.WriteAllTextAsync(users, string.Concat(Enumerable.Range(0, 50).Select(
            static i => $"u{i:00}:{TestUsers.Hash($"u{i:00}-password")}\n")));
        var rules = new StringBuilder("rules:\n");
        for (var i = 0; i < 50; i++)
        {
            rules.Append(CultureInfo.InvariantCulture,
                $"  - {{ name: r{i}, to: [\"user:u{i:00}\"], role: reader, on: [\"team-{i:00}/kept/*\"] }}\n");
        }

        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, rules.ToString(), options => options.Authentication.Htpasswd!.File = users);
        var pages = gateway.Services.GetRequiredService<CatalogPages>();
        for (var i = 0; i < 50; i++)
        {
            (await gateway.SendAsync(HttpMethod.Get, "/v2/", $"u{i:00}")).Dispose(); // hashes the password
        }

        _upstream.Respond = async context =>
        {
            // The first page comes when all of them wait for it, or it would be no walk of fifty at once.
            await Eventually.TrueAsync(() => pages.Lookups.Misses >= 50, TimeSpan.FromMinutes(2));
            await _pages.RespondAsync(context);
        };

        var lists = await Task.WhenAll(Enumerable.Range(0, 50).Select(
            i => ListAsync(gateway, "/v2/_catalog", $"u{i:00}")));

        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(Names(10_000).Where(name => name.StartsWith($"team-{i:00}/kept/", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal), lists[i].Names);
        }

        Assert.Equal(11, _upstream.Requests.Count); // ten full pages, and an empty one: as Distribution has it
        await ListAsync(gateway, "/v2/_catalog", "u07");
        Assert.Equal(11, _upstream.Requests.Count);
    }

    [Theory]
    [InlineData(1, 2_000)]
    [InlineData(7, 10_000)]
    [InlineData(100, 10_000)]
    [InlineData(1_000, 10_000)]
    public async Task Catalog_WalkedByWhoSeesAll_ReadsEachNameOnceWhateverThePageSize(int pageSize, int count)
    {
        var names = Names(count);
        Serve(names, ByComponents);
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, Policy);

        var walked = await WalkAsync(gateway, "admin", pageSize);

        Assert.Equal(names.Order(ByComponents), walked);
        Assert.Equal(count, _pages.Given);
    }

    public static TheoryData<string> Orders => ["components", "ordinal", "backwards"];

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Catalog_InWhateverOrderTheUpstreamHas_IsCompleteAndInThatOrder(string order)
    {
        string[] names = ["a", "a/z", "a-x", "a-x/b", "a.b", "a/b/c", "a0", "a_b", "b", "team-07/kept/a"];
        var comparer = order switch
        {
            "components" => ByComponents,
            "ordinal" => StringComparer.Ordinal,
            _ => (IComparer<string>)Backwards,
        };
        Serve(names, comparer);
        await using var gateway = await StartWithClockAsync();

        Assert.Equal(names.Order(comparer), await WalkAsync(gateway, "admin", 1));
        Assert.Single(_upstream.Requests);
        Assert.Equal(["team-07/kept/a"], await WalkAsync(gateway, "alice", 1));

        // The same where the pages expire under a walk: it goes on where the caller was.
        Assert.Equal(
            names.Order(comparer), await WalkAsync(gateway, "admin", 3, () => _clock.Advance(CatalogPages.KeptFor)));
    }

    [Fact]
    public async Task Catalog_AfterHalfAMinute_IsReadAnewAndNoLongerKept()
    {
        Serve(["team-07/kept/a", "team-07/kept/gone"], ByComponents);
        await using var gateway = await StartWithClockAsync();
        var pages = gateway.Services.GetRequiredService<CatalogPages>();
        await ListAsync(gateway, "/v2/_catalog", "alice");
        Serve(["team-07/kept/a", "team-07/kept/new"], ByComponents);

        _clock.Advance(CatalogPages.KeptFor - TimeSpan.FromMilliseconds(1));
        Assert.Equal(
            ["team-07/kept/a", "team-07/kept/gone"], (await ListAsync(gateway, "/v2/_catalog", "alice")).Names);
        Assert.Single(_upstream.Requests);
        Assert.NotEqual(0, pages.Bytes);

        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, pages.Bytes);
        Assert.Equal(
            ["team-07/kept/a", "team-07/kept/new"], (await ListAsync(gateway, "/v2/_catalog", "alice")).Names);
        Assert.Equal(2, _upstream.Requests.Count);
    }

    // Time passes between two looks at the clock: what is left of a page's time must not become negative, which a timer
    // refuses, and an exception there would end the process.
    [Fact]
    public async Task Pages_ThatExpireWhileOthersAreDropped_AreDroppedToo()
    {
        var clock = new DriftingClock();
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, Policy, customize: builder => builder.Services.AddSingleton<TimeProvider>(clock));
        var pages = gateway.Services.GetRequiredService<CatalogPages>();
        await WalkAsync(gateway, "admin", 1_000, () => clock.Advance(TimeSpan.FromMilliseconds(10)));
        Assert.NotEqual(0, pages.Bytes);

        clock.Drift = TimeSpan.FromMilliseconds(7);
        clock.Advance(CatalogPages.KeptFor - TimeSpan.FromMilliseconds(100));
        for (var i = 0; i < 200; i++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(0, pages.Bytes);
    }

    [Theory]
    [InlineData("team-07/hidden/r0507")] // a repository, in the middle of a page
    [InlineData("team-07/hidden/r9999")] // no repository
    [InlineData("team-04/hidden/r0999")] // the last of an upstream's page, or close to it
    public async Task Catalog_AfterANameThatTheCallerMayNotSee_IsNotAnsweredFromWhatIsKnown(string last)
    {
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, Policy);
        var boundary = (await ListAsync(gateway, "/v2/_catalog?n=1000", "admin")).Names[^1];
        await WalkAsync(gateway, "admin", 1_000);
        var expected = Names(10_000).Where(static name => name.StartsWith("team-07/kept/", StringComparison.Ordinal));
        foreach (var hidden in new[] { last, last, boundary, boundary })
        {
            var before = _upstream.Requests.Count;
            var fresh = (await ListAsync(gateway, $"/v2/_catalog?last={hidden}", "alice")).Names;

            // A request for it each time: an answer from memory would tell by its speed that the name is there.
            Assert.Equal(1, _upstream.Requests.Count - before);
            Assert.Equal(
                expected.Where(name => ByComponents.Compare(name, hidden) > 0).Order(ByComponents), fresh);
        }

        // The neighbours: a name they may see, and one who may see all.
        var known = _upstream.Requests.Count;
        Assert.NotEmpty((await ListAsync(gateway, "/v2/_catalog?last=team-07/kept/r0007", "alice")).Names);
        Assert.NotEmpty((await ListAsync(gateway, $"/v2/_catalog?last={boundary}", "admin")).Names);
        Assert.Equal(known, _upstream.Requests.Count);
    }

    [Fact]
    public async Task Catalog_WhenTheUpstreamFailsMidway_IsAnErrorAndNothingOfItIsKept()
    {
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, Policy);
        _upstream.Respond = context =>
        {
            if (context.Request.Query.ContainsKey("last"))
            {
                context.Response.StatusCode = 500;
                return Task.CompletedTask;
            }

            return _pages.RespondAsync(context);
        };
        using (var failed = await gateway.SendAsync(HttpMethod.Get, "/v2/_catalog", "alice"))
        {
            Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode); // as the upstream's own
        }

        // Callers who need no more than the page that is known get it.
        Assert.Equal(100, (await ListAsync(gateway, "/v2/_catalog", "admin")).Names.Count);
        Assert.Equal(2, _upstream.Requests.Count);
        _upstream.Respond = _pages.RespondAsync;
        Assert.Equal(10, (await ListAsync(gateway, "/v2/_catalog", "alice")).Names.Count);
    }

    [Fact]
    public async Task Catalog_LargerThanWhatIsKept_IsCompleteAndTakesNoMoreMemory()
    {
        const int Bound = 400_000; // between two and three pages
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, Policy, customize: builder => builder.Services.AddSingleton(
                static services => new CatalogPages(
                    services.GetRequiredService<UpstreamCatalog>(), TimeProvider.System, Bound)));
        var pages = gateway.Services.GetRequiredService<CatalogPages>();

        var walked = await WalkAsync(gateway, "admin", 100, () => Assert.InRange(pages.Bytes, 1, Bound));

        Assert.Equal(Names(10_000).Order(ByComponents), walked);
        Assert.Equal(10_000, _pages.Given);
        Assert.Equal(10, (await ListAsync(gateway, "/v2/_catalog", "alice")).Names.Count);
        Assert.Equal(20_000, _pages.Given); // what was dropped is read again
    }

    [Fact]
    public async Task Catalog_WhoseFirstCallerLeaves_IsReadToItsEndForTheOthers()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _upstream.Respond = async context =>
        {
            await answer.Task;
            await _pages.RespondAsync(context);
        };
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, Policy);
        using var leaving = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{TestGateway.Host}/v2/_catalog");
        request.Headers.TryAddWithoutValidation("Authorization", TestGateway.Basic("admin"));
        var first = gateway.Client.SendAsync(request, leaving.Token);
        await Eventually.TrueAsync(() => _upstream.Requests.Count == 1);
        var second = ListAsync(gateway, "/v2/_catalog", "alice");
        var pages = gateway.Services.GetRequiredService<CatalogPages>();
        await Eventually.TrueAsync(() => pages.Lookups.Misses == 2);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        answer.SetResult();

        Assert.Equal(10, (await second).Names.Count);
        Assert.Equal(11, _upstream.Requests.Count);
    }

    [Fact]
    public void View_OfTenThousandNames_AllocatesNothing()
    {
        var router = new RegistryRouter(
            new Uri("https://registry.test"), [],
            [new RegistryOptions { Name = "main", Upstreams = [new Uri("http://upstream.test")] }]);
        using var files = new PolicyFiles(("policy.yaml", Policy));
        var view = new CatalogView(
            router.PublicHost,
            PolicyFolder.Read(files.Folder, ["main"]).Policy,
            new Principal
            {
                Subject = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" },
            },
            IPAddress.Loopback,
            _clock.GetUtcNow());
        var page = new CatalogPage(router.Registries[0], null, Names(10_000), null, 0);
        Assert.Equal(10, CountShown()); // works out the subject's groups, once

        var before = GC.GetAllocatedBytesForCurrentThread();
        var shown = CountShown();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal((10, 0), (shown, allocated));

        int CountShown()
        {
            var count = 0;
            foreach (var name in page.Names)
            {
                count += view.Shows(page.Registry, name) ? 1 : 0;
            }

            return count;
        }
    }

    // Fifty teams; ten repositories of each are "kept", all others "hidden".
    private static string[] Names(int count) =>
    [
        .. Enumerable.Range(0, count).Select(static i => string.Create(
            CultureInfo.InvariantCulture, $"team-{i % 50:00}/{(i < 500 ? "kept" : "hidden")}/r{i:0000}")),
    ];

    private void Serve(string[] names, IComparer<string> order)
    {
        _pages = UpstreamPages.Sorted(names, order);
        _upstream.Respond = _pages.RespondAsync;
    }

    /// <summary>Goes on a little each time somebody looks.</summary>
    private sealed class DriftingClock() : FakeTimeProvider(TimeProvider.System.GetUtcNow())
    {
        private long _drifted;

        public TimeSpan Drift { get; set; }

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Add(ref _drifted, Drift.Ticks);
    }

    private Task<TestGateway> StartWithClockAsync() => TestGateway.StartAsync(
        _upstream.Address, Policy, customize: builder => builder.Services.AddSingleton<TimeProvider>(_clock));

    private static async Task<List<string>> WalkAsync(
        TestGateway gateway, string user, int pageSize, Action? afterEach = null)
    {
        var names = new List<string>();
        var target = (string?)string.Create(CultureInfo.InvariantCulture, $"/v2/_catalog?n={pageSize}");
        while (target is not null)
        {
            var (page, next) = await ListAsync(gateway, target, user);
            names.AddRange(page);
            target = next;
            afterEach?.Invoke();
        }

        return names;
    }

    private static async Task<(List<string> Names, string? Next)> ListAsync(
        TestGateway gateway, string target, string user)
    {
        using var answer = await gateway.SendAsync(HttpMethod.Get, target, user);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStreamAsync());
        return (
            [.. json.RootElement.GetProperty("repositories").EnumerateArray().Select(static e => e.GetString()!)],
            answer.Headers.TryGetValues("Link", out var links) ? links.Single().Split('<', '>')[1] : null);
    }
}
