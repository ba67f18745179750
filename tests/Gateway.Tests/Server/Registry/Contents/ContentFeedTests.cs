using System.Net;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Registry.Contents;

/// <summary>
/// What replicas tell each other of deletions through a real Redis, and what they do where they cannot.
/// </summary>
public sealed class ContentFeedTests : IAsyncLifetime
{
    private const string Digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    private const string Neighbour = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    private static readonly ContentChange Deletion = new(ContentChangeKind.Digest, "team-a/app", Digest);

    private RedisServer _redis = null!;

    public async Task InitializeAsync() => _redis = await RedisServer.StartAsync();

    public async Task DisposeAsync() => await _redis.DisposeAsync();

    [Fact]
    public async Task Change_OfOneReplica_IsForgottenByTheOtherAndNothingElseIs()
    {
        await using var one = await Replica.StartAsync(_redis.Options);
        await using var two = await Replica.StartAsync(_redis.Options);
        await two.FillAsync();

        Assert.True(await one.Feed.TryAnnounceAsync(Deletion));

        await Eventually.TrueAsync(() => !two.Holds(Digest));
        Assert.True(two.Holds(Neighbour));
    }

    [Fact]
    public async Task Change_WhoseMessageIsLost_ShowsAtTheNextReadingAndEverythingIsDropped()
    {
        await using var two = await Replica.StartAsync(_redis.Options);
        await two.FillAsync();

        await _redis.CommandAsync("HSET", "gateway:content", "last", "another");
        Assert.True(two.Holds(Neighbour));
        two.Clock.Advance(TimeSpan.FromSeconds(1));

        await Eventually.TrueAsync(() => two.Store.Count == 0);
        Assert.True(await two.Feed.EnsureCurrentAsync(default)); // it goes on
    }

    [Fact]
    public async Task Reading_WhereNothingHappened_KeepsEverything()
    {
        await using var two = await Replica.StartAsync(_redis.Options);
        await two.FillAsync();
        var readings = await ReadingsAsync();

        two.Clock.Advance(TimeSpan.FromSeconds(1));

        await Eventually.TrueAsync(async () => await ReadingsAsync() > readings);
        Assert.True(await two.Feed.EnsureCurrentAsync(default));
        Assert.Equal(2, two.Store.Count);
    }

    [Theory]
    [InlineData("x y digest team-a/app " + Digest)] // one before it is missing
    [InlineData(" y digest team-a/app " + Digest + "0")]
    [InlineData(" y everything")]
    [InlineData("")]
    public async Task Message_ThatDoesNotFollowOrIsNotUnderstood_DropsEverything(string message)
    {
        await using var two = await Replica.StartAsync(_redis.Options);
        await two.FillAsync();

        Assert.Equal("1", await _redis.CommandAsync("PUBLISH", "gateway:content", message));

        await Eventually.TrueAsync(() => two.Store.Count == 0);
    }

    [Fact]
    public async Task Redis_ThatHangs_IsNoticedAndNothingIsAnsweredFromMemoryUntilItAnswersAgain()
    {
        var options = _redis.Options;
        options.Timeout = TimeSpan.FromMilliseconds(300);
        await using var two = await Replica.StartAsync(options);
        await two.FillAsync();
        await _redis.SignalAsync("STOP");

        Assert.True(await two.Feed.EnsureCurrentAsync(default)); // what was read a moment ago
        Assert.False(await two.Feed.TryAnnounceAsync(Deletion));
        two.Clock.Advance(ContentFeed.CurrentFor);
        Assert.False(await two.Feed.EnsureCurrentAsync(default));
        Assert.False(two.Feed.IsUp);
        var again = two.Feed.EnsureCurrentAsync(default);
        Assert.True(again.IsCompleted); // nobody waits for it any more
        Assert.False(await again);

        await _redis.SignalAsync("CONT");
        await Eventually.TrueAsync(async () =>
        {
            two.Clock.Advance(TimeSpan.FromSeconds(1));
            return await two.Feed.EnsureCurrentAsync(default);
        });
        Assert.True(two.Feed.IsUp);
        Assert.Equal(0, two.Store.Count); // a deletion may have been missed
    }

    [Fact]
    public async Task Redis_ThatAnswersAgain_IsNoticedWhereNobodyAsks()
    {
        var options = _redis.Options;
        options.Timeout = TimeSpan.FromMilliseconds(300);
        await using var two = await Replica.StartAsync(options);
        await two.FillAsync();
        await _redis.SignalAsync("STOP");
        two.Clock.Advance(ContentFeed.CurrentFor);
        Assert.False(await two.Feed.EnsureCurrentAsync(default));
        two.Clock.Advance(TimeSpan.FromMinutes(10)); // a quiet night
        for (var i = 0; i < 3; i++)
        {
            var looks = two.Clock.Looks;
            two.Clock.Advance(TimeSpan.FromSeconds(1));
            await Eventually.TrueAsync(() => two.Clock.Looks > looks); // no reading of before is under way any more
        }

        Assert.False(two.Feed.IsUp);

        await _redis.SignalAsync("CONT");
        await Eventually.TrueAsync(() =>
        {
            two.Clock.Advance(TimeSpan.FromSeconds(1));
            return two.Feed.IsUp;
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Change_Announced_IsReadAsItWasMeant(bool byDigest)
    {
        var change = new ContentChange(
            byDigest ? ContentChangeKind.Digest : ContentChangeKind.Repository, "team-a/app", byDigest ? Digest : "",
            IsOpen: true);

        Assert.True(ContentChange.TryParse(change.ToString(), out var open));
        Assert.Equal(change, open);
        Assert.True(ContentChange.TryParse((change with { IsOpen = false }).ToString(), out var over));
        Assert.Equal(change with { IsOpen = false }, over);
        Assert.False(ContentChange.TryParse(change + " open", out _));
    }

    [Fact]
    public async Task Redis_ThatStartsAgainEmpty_IsNoticed()
    {
        await using var one = await Replica.StartAsync(_redis.Options);
        await using var two = await Replica.StartAsync(_redis.Options);
        Assert.True(await one.Feed.TryAnnounceAsync(Deletion));
        await two.FillAsync();

        await _redis.CommandAsync("DEL", "gateway:content");
        two.Clock.Advance(TimeSpan.FromSeconds(1));

        await Eventually.TrueAsync(() => two.Store.Count == 0);
    }

    [Fact]
    public async Task Cache_ThatIsNotUsed_AsksRedisNothing()
    {
        await using var two = await Replica.StartAsync(_redis.Options);
        await two.FillAsync();
        var readings = await ReadingsAsync();
        two.Clock.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(async () => await ReadingsAsync() > readings); // in use

        two.Clock.Advance(TimeSpan.FromMinutes(2));
        readings = await ReadingsAsync();
        for (var i = 0; i < 10; i++)
        {
            var looks = two.Clock.Looks;
            two.Clock.Advance(TimeSpan.FromSeconds(1));
            await Eventually.TrueAsync(() => two.Clock.Looks > looks); // the loop has looked at the time
        }

        Assert.Equal(readings, await ReadingsAsync());
        Assert.True(await two.Feed.EnsureCurrentAsync(default)); // and the next request does
        Assert.Equal(readings + 1, await ReadingsAsync());
    }

    [Fact]
    public async Task Replicas_WhoseRedisHangs_ForwardEverythingAndDeleteNothing()
    {
        await using var upstream = await ContentUpstream.StartAsync();
        var options = _redis.Options;
        options.Timeout = TimeSpan.FromMilliseconds(500);
        await using var one = await upstream.StartGatewayAsync(changeAll: all => all.Redis = options);
        await using var two = await upstream.StartGatewayAsync(changeAll: all => all.Redis = options);
        var path = upstream.PutManifest("team-a/app", "one");
        await Eventually.TrueAsync(() => IsFromMemoryAsync(one));
        await Eventually.TrueAsync(() => IsFromMemoryAsync(two));

        await _redis.SignalAsync("STOP");
        await Eventually.TrueAsync(async () => !await IsFromMemoryAsync(two));
        Assert.False(await IsFromMemoryAsync(two));
        using (var refused = await one.SendAsync(HttpMethod.Delete, path, "admin"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Equal("5", refused.Headers.GetValues("Retry-After").Single());
            Assert.Contains(
                "cannot tell its other replicas", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Equal(0, upstream.Count(path, "DELETE"));
        await _redis.SignalAsync("CONT");
        await Eventually.TrueAsync(() => IsFromMemoryAsync(two));
        await Eventually.TrueAsync(() => IsFromMemoryAsync(one));

        using var deleted = await one.SendAsync(HttpMethod.Delete, path, "admin");
        Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        Assert.StartsWith("404", await ContentCacheTests.ReadAsync(one, path, "bob"), StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await ContentCacheTests.ReadAsync(two, path, "bob")).StartsWith(
            "404", StringComparison.Ordinal));

        async Task<bool> IsFromMemoryAsync(TestGateway gateway)
        {
            var before = upstream.Count(path);
            Assert.StartsWith("200", await ContentCacheTests.ReadAsync(gateway, path, "bob"), StringComparison.Ordinal);
            return upstream.Count(path) == before;
        }
    }

    private async Task<long> ReadingsAsync()
    {
        var line = (await _redis.CommandAsync("INFO", "commandstats")).Split('\n').SingleOrDefault(
            static line => line.StartsWith("cmdstat_hget:", StringComparison.Ordinal));
        return line is null
            ? 0
            : long.Parse(line.Split(['=', ','])[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Tells when somebody waits on it, and when somebody looks.</summary>
    private sealed class TickClock : FakeTimeProvider
    {
        private int _looks;

        public bool HasTimer { get; private set; }

        public int Looks => Volatile.Read(ref _looks);

        public override long GetTimestamp()
        {
            Interlocked.Increment(ref _looks);
            return base.GetTimestamp();
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            HasTimer = true;
            return timer;
        }
    }

    /// <summary>A store and its feed, on a clock of its own.</summary>
    private sealed class Replica : IAsyncDisposable
    {
        private readonly RedisConnection _connection;

        private Replica(RedisOptions options)
        {
            var settings = new ContentCacheOptions();
            _connection = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);
            Store = new ContentStore(
                settings,
                new ContentFigures([
                    new UpstreamRegistry(
                        new RegistryOptions { Name = "main", Upstreams = [new Uri("http://127.0.0.1:1")] },
                        new HashSet<string>()),
                ]),
                Clock);
            Feed = new ContentFeed(
                Store, settings, [_connection], options, Clock, NullLogger<ContentFeed>.Instance);
        }

        public TickClock Clock { get; } = new();

        public ContentStore Store { get; }

        public ContentFeed Feed { get; }

        public static async Task<Replica> StartAsync(RedisOptions options)
        {
            var replica = new Replica(options);
            await replica.Feed.StartAsync(default);
            await Eventually.TrueAsync(() => replica.Clock.HasTimer); // it listens, and waits
            return replica;
        }

        public async Task FillAsync()
        {
            Assert.True(await Feed.EnsureCurrentAsync(default));
            Add(Digest);
            Add(Neighbour);
        }

        public bool Holds(string digest) => Store.TryFind(KeyOf(digest), out _);

        public async ValueTask DisposeAsync()
        {
            await Feed.StopAsync(default);
            Feed.Dispose();
            await _connection.DisposeAsync();
        }

        private static ContentKey KeyOf(string digest) =>
            new("main", "team-a/app", ContentKind.Blob, digest, default, default);

        private void Add(string digest)
        {
            var flight = Store.Join(KeyOf(digest), "team-a/app", null, out _);
            Assert.True(Store.TryAdd(flight, new CachedContent
            {
                Key = flight.Key,
                UpstreamRepository = "team-a/app",
                Digest = digest,
                Headers = [],
                Body = [1],
                CheckedAt = flight.StartedAt,
            }));
        }
    }
}
