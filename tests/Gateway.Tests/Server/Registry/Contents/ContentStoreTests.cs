using System.Globalization;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Requests.Routing;
using Microsoft.Extensions.Primitives;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Registry.Contents;

/// <summary>The memory of the content cache: its bound, what leaves first, and what a lookup costs.</summary>
public sealed class ContentStoreTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ContentFigures _figures = new([
        new UpstreamRegistry(
            new RegistryOptions { Name = "main", Upstreams = [new Uri("http://127.0.0.1:1")] }, new HashSet<string>()),
    ]);

    [Fact]
    public async Task Bytes_WhileManyThreadsFill_NeverExceedTheLimit()
    {
        var options = new ContentCacheOptions { MaxSizeMiB = 1 };
        var store = new ContentStore(options, _figures, _clock);
        var highest = 0L;
        var refused = 0;

        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            var random = new Random(thread);
            for (var i = 0; i < 2_000; i++)
            {
                var key = KeyOf(string.Create(CultureInfo.InvariantCulture, $"{random.Next(500)}"));
                var flight = store.Join(key, "team-a/app", null, out var leads);
                if (!leads)
                {
                    continue;
                }

                if (store.TryReserve(flight, random.Next(1, options.LargestBody(ContentKind.Manifest))))
                {
                    Sample();
                    store.TryAdd(flight, ContentOf(key, new byte[flight.Reserved]));
                }
                else
                {
                    Interlocked.Increment(ref refused);
                    store.End(flight, FlightResult.Unfit);
                }

                Sample();
            }
        })));

        Assert.InRange(highest, 900_000, options.Capacity); // it was full
        Assert.Equal(store.Bytes, _figures.Of("main").Bytes);
        Assert.Equal(store.Count, _figures.Of("main").Entries);
        store.Clear();
        Assert.Equal(0, store.Bytes);
        Assert.Equal(0, _figures.Of("main").Bytes);
        Assert.Equal(0, _figures.Of("main").Entries);

        void Sample()
        {
            var bytes = store.Bytes;
            long seen;
            while (bytes > (seen = Volatile.Read(ref highest)))
            {
                Interlocked.CompareExchange(ref highest, bytes, seen);
            }
        }
    }

    [Fact]
    public void Reserve_MoreThanAQuarterAtOnce_IsRefusedUntilRoomIsGivenBack()
    {
        var store = new ContentStore(new ContentCacheOptions { MaxSizeMiB = 1 }, _figures, _clock);
        var flights = Enumerable.Range(0, 3).Select(
            i => store.Join(KeyOf($"{i}"), "team-a/app", null, out _)).ToList();

        Assert.True(store.TryReserve(flights[0], 128 * 1024));
        Assert.True(store.TryReserve(flights[1], 128 * 1024));
        Assert.False(store.TryReserve(flights[2], 1));
        store.End(flights[0], FlightResult.Unfit);
        Assert.True(store.TryReserve(flights[2], 1));
    }

    [Fact]
    public void Room_IsMadeByWhatWasNotUsed()
    {
        var store = new ContentStore(new ContentCacheOptions { MaxSizeMiB = 1 }, _figures, _clock);
        for (var i = 0; i < 8; i++)
        {
            Add(store, $"{i}", 100 * 1024);
        }

        Assert.True(store.TryFind(KeyOf("0"), out _));
        for (var i = 8; i < 14; i++)
        {
            Add(store, $"{i}", 100 * 1024);
        }

        Assert.True(store.TryFind(KeyOf("0"), out _)); // the oldest of all, and used
        Assert.False(store.TryFind(KeyOf("1"), out _));
        Assert.True(store.TryFind(KeyOf("13"), out _));
        Assert.Equal(4, _figures.Of("main").Read(ContentEnd.Room));
    }

    [Fact]
    public void Body_OfSeveralEntries_IsKeptOnce()
    {
        var store = new ContentStore(new ContentCacheOptions(), _figures, _clock);
        Add(store, "same", 100_000, "application/json");
        var one = store.Bytes;

        Add(store, "same", 100_000, "text/plain");

        Assert.InRange(store.Bytes - one, 1, 5_000);
        Assert.True(store.TryFind(KeyOf("same", "application/json"), out var first));
        Assert.True(store.TryFind(KeyOf("same", "text/plain"), out var second));
        Assert.Same(first.Body, second.Body);
        store.Forget(new ContentChange(ContentChangeKind.Digest, "elsewhere", "same"));
        Assert.Equal(0, store.Bytes);
    }

    [Fact]
    public void Sweep_DropsWhatIsTooOldAndNothingElse()
    {
        var store = new ContentStore(new ContentCacheOptions(), _figures, _clock);
        Add(store, "old", 10);
        _clock.Advance(TimeSpan.FromSeconds(30));
        Add(store, "young", 10);
        _clock.Advance(TimeSpan.FromSeconds(30));

        store.Sweep();

        Assert.Equal(1, store.Count);
        Assert.True(store.TryFind(KeyOf("young"), out _));
    }

    [Fact]
    public async Task Flight_DoomedByADeletion_KeepsNothingAndIsJoinedByNobody()
    {
        var store = new ContentStore(new ContentCacheOptions(), _figures, _clock);
        var flight = store.Join(KeyOf("one"), "team-a/app", null, out _);
        var neighbour = store.Join(KeyOf("two"), "team-a/app", null, out _);

        store.Forget(new ContentChange(ContentChangeKind.Digest, "team-a/app", "one"));

        Assert.True(flight.Ended.IsCompletedSuccessfully);
        Assert.Equal(FlightResult.Again, (await flight.Ended).Result);
        Assert.NotSame(flight, store.Join(KeyOf("one"), "team-a/app", null, out var leads));
        Assert.True(leads);
        Assert.False(store.TryAdd(flight, ContentOf(KeyOf("one"), [1])));
        Assert.True(store.TryAdd(neighbour, ContentOf(KeyOf("two"), [1])));
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public void Deletion_ThatIsOpen_KeepsNothingThatIsReadMeanwhile()
    {
        var options = new ContentCacheOptions();
        var store = new ContentStore(options, _figures, _clock);
        var deletion = new ContentChange(ContentChangeKind.Digest, "team-a/app", "one");

        store.Forget(deletion with { IsOpen = true });
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.False(TryAdd("one")); // the upstream may still be at it
        Assert.True(TryAdd("two"));

        store.Forget(deletion);
        Assert.False(TryAdd("one")); // asked for at the same moment
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(TryAdd("one")); // pushed again

        store.Forget(deletion with { IsOpen = true }); // and no answer ever came
        _clock.Advance(options.MaxAge + TimeSpan.FromMinutes(2));
        Assert.False(TryAdd("one"));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(TryAdd("one"));

        bool TryAdd(string digest) => store.TryAdd(
            store.Join(KeyOf(digest), "team-a/app", known: null, out _), ContentOf(KeyOf(digest), [1]));
    }

    [Fact]
    public void Deletions_MoreThanAreNoted_KeepNothingRatherThanSomethingWrong()
    {
        var deleted = new DeletedContents(_clock);
        for (var i = 0; i < 5_000; i++)
        {
            deleted.Add($"sha256:{i}", TimeSpan.FromMinutes(1));
        }

        var now = _clock.GetTimestamp();
        Assert.True(deleted.Contains("sha256:0", now));
        Assert.True(deleted.Contains("sha256:4999", now));
        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.False(deleted.Contains("sha256:0", _clock.GetTimestamp()));
        deleted.Add("sha256:1", TimeSpan.Zero);
        deleted.Trim(now);
        Assert.True(deleted.Contains("sha256:1", now)); // one that old is still on its way
    }

    [Fact]
    public async Task Join_OfWhatWasStoredSinceTheLook_IsThatAndNoNewRequest()
    {
        var store = new ContentStore(new ContentCacheOptions(), _figures, _clock);
        Assert.False(store.TryFind(KeyOf("one"), out _));
        Add(store, "one", 10); // another one's, meanwhile
        Assert.True(store.TryFind(KeyOf("one"), out var content));

        var flight = store.Join(KeyOf("one"), "team-a/app", null, out var leads);

        Assert.False(leads);
        Assert.True(flight.Ended.IsCompletedSuccessfully);
        Assert.Same(content, (await flight.Ended).Content);
        store.Join(KeyOf("one"), "team-a/app", content, out leads); // who found it, and knows that the tag has moved
        Assert.True(leads);
    }

    [Fact]
    public void Lookup_AllocatesNothing()
    {
        var store = new ContentStore(new ContentCacheOptions(), _figures, TimeProvider.System);
        StringValues accept = new(["application/json", "text/plain"]);
        Add(store, "one", 10, accept);
        var found = 0;
        Find();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1_000; i++)
        {
            Find();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1_001, found);

        void Find()
        {
            var key = new ContentKey(
                "main", "team-a/app", ContentKind.Manifest, "one", accept, StringValues.Empty);
            found += store.TryFind(key, out _) ? 1 : 0;
            _figures.Count(key, ContentResult.Hit);
        }
    }

    [Fact]
    public void RepositoryFigures_OfManyRepositories_NameTheMostUsedAndSumTheOthers()
    {
        var figures = new RepositoryFigures();
        for (var round = 0; round < 300; round++)
        {
            for (var i = 0; i < 5; i++)
            {
                figures.Count("main", "often", isHit: true);
            }

            figures.Count("main", $"seldom/{round}", isHit: true);
            figures.Count("main", $"seldom/{round}", isHit: false);
            Assert.InRange(figures.Read().Count(), 1, RepositoryFigures.MostRepositories + 1);
        }

        var often = Assert.Single(figures.Read(), static one => one.Repository == "often");
        Assert.Equal(("main", 1500L, 0L), (often.Registry, often.Hits, often.Misses));
        Assert.Contains(figures.Read(), static one => one is { Repository: "", Hits: > 0 });
    }

    private static ContentKey KeyOf(string reference, StringValues accept = default) =>
        new("main", "team-a/app", ContentKind.Manifest, reference, accept, StringValues.Empty);

    private static CachedContent ContentOf(ContentKey key, byte[] body, long checkedAt = 0) => new()
    {
        Key = key,
        UpstreamRepository = "team-a/app",
        Digest = key.Reference,
        Headers = [],
        Body = body,
        CheckedAt = checkedAt,
    };

    private static void Add(ContentStore store, string reference, int size, StringValues accept = default)
    {
        var key = KeyOf(reference, accept);
        var flight = store.Join(key, "team-a/app", null, out _);
        Assert.True(store.TryAdd(flight, ContentOf(key, new byte[size], flight.StartedAt)));
    }
}
