using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Proxying;

/// <summary>The catalog of an unmodified registry: what is asked of it, and in which order it answers.</summary>
public sealed class CatalogTests : IAsyncLifetime
{
    private const string Policy = """
        rules:
          - { name: admin, to: [ user:admin ], role: owner, on: [ "**" ] }
          - { name: alice, to: [ user:alice ], role: reader, on: [ "team-7/kept/*" ] }
          - { name: bob, to: [ user:bob ], role: reader, on: [ "team-8/kept/*" ] }
        """;

    private const int Repositories = 2_500;

    private RegistryProcess _registry = null!;
    private GatewayProcess _gateway = null!;
    private int _asked;

    public async Task InitializeAsync()
    {
        _registry = await RegistryProcess.StartAsync(new RegistrySettings
        {
            LogLevel = "info", // one line a request
            OnLogLine = line =>
            {
                if (line.IndexOf("/v2/_catalog"u8) >= 0 && line.IndexOf("response completed"u8) >= 0)
                {
                    Interlocked.Increment(ref _asked);
                }
            },
        });
        _gateway = await GatewayProcess.StartAsync(
            new GatewaySettings { Upstream = _registry.Address, Policy = Policy });
        // What the registry takes for a repository; pushing so many would take minutes.
        foreach (var name in Enumerable.Range(0, Repositories - 4)
            .Select(static i => string.Create(
                CultureInfo.InvariantCulture, $"team-{i % 10}/{(i < 100 ? "kept" : "hidden")}/r{i:0000}"))
            .Concat(["zoo/a", "zoo-x", "zoo.y", "zoo0/a"]))
        {
            Directory.CreateDirectory(Path.Combine(_registry.RepositoriesFolder, name, "_layers"));
        }
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [Theory]
    [InlineData(7)]
    [InlineData(1_000)]
    public async Task Catalog_WalkedPageByPage_IsTheRegistrysOwnAndReadOnce(int pageSize)
    {
        using var direct = new HttpClient { BaseAddress = _registry.Address };
        using var admin = _gateway.CreateClient("admin");
        var expected = await WalkAsync(direct, 1_000);
        Assert.Equal(Repositories, expected.Count);
        await Eventually(() => Volatile.Read(ref _asked) == 3);

        Assert.Equal(expected, await WalkAsync(admin, pageSize));

        await Eventually(() => Volatile.Read(ref _asked) == 6);
    }

    [Fact]
    public async Task Catalog_ForThreeCallersAtOnce_IsReadOnceAndGivesEachTheirOwn()
    {
        string[] users = ["alice", "bob", "admin"];
        using var alice = _gateway.CreateClient("alice");
        using var bob = _gateway.CreateClient("bob");
        using var admin = _gateway.CreateClient("admin");
        HttpClient[] clients = [alice, bob, admin];

        // Two at a time are what a caller may have.
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(
            i => ListAsync(clients[i % 3], "/v2/_catalog?n=1000")));

        for (var i = 0; i < answers.Length; i++)
        {
            var prefix = users[i % 3] switch { "alice" => "team-7/kept/", "bob" => "team-8/kept/", _ => "" };
            Assert.Equal(prefix.Length > 0 ? 10 : 1_000, answers[i].Names.Count);
            Assert.All(answers[i].Names, name => Assert.StartsWith(prefix, name, StringComparison.Ordinal));
        }

        Assert.InRange(Volatile.Read(ref _asked), 1, 3);
    }

    private static async Task Eventually(Func<bool> condition)
    {
        for (var wait = 0; wait < 500 && !condition(); wait++)
        {
            await Task.Delay(10); // the registry writes its line after the answer
        }

        Assert.True(condition());
    }

    private static async Task<List<string>> WalkAsync(HttpClient client, int pageSize)
    {
        var names = new List<string>();
        var target = (string?)string.Create(CultureInfo.InvariantCulture, $"/v2/_catalog?n={pageSize}");
        while (target is not null)
        {
            var (page, next) = await ListAsync(client, target);
            names.AddRange(page);
            target = next;
        }

        return names;
    }

    private static async Task<(List<string> Names, string? Next)> ListAsync(HttpClient client, string target)
    {
        using var answer = await client.GetAsync(target);
        var body = await answer.Content.ReadAsByteArrayAsync();
        Assert.True(answer.IsSuccessStatusCode, Encoding.UTF8.GetString(body));
        using var json = JsonDocument.Parse(body);
        return (
            [.. json.RootElement.GetProperty("repositories").EnumerateArray().Select(static one => one.GetString()!)],
            answer.Headers.TryGetValues("Link", out var links) ? links.Single().Split('<', '>')[1] : null);
    }
}
