using System.Net;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Store.State;

/// <summary>What may be served from memory, and when not.</summary>
public sealed class CredentialDirectoryTests : IDisposable
{
    private static readonly IPAddress Address = IPAddress.Parse("192.0.2.1");

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Find_Twice_IsServedFromMemory()
    {
        await using var stage = await Stage.OpenAsync(Open(), _clock);
        var credential = TestCredential.New("one");
        await stage.Store.AddAsync(credential, default);

        var first = await stage.Directory.FindAsync(credential.Hash, default);
        var second = await stage.Directory.FindAsync(credential.Hash, default);

        TestCredential.AssertSame(credential, first);
        Assert.Same(first, second);
    }

    [Fact]
    public async Task Find_TokenMadeAfterItWasAskedFor_IsFoundAtOnce()
    {
        await using var stage = await Stage.OpenAsync(Open(), _clock);
        await using var other = Open();
        var credential = TestCredential.New("one");
        Assert.Null(await stage.Directory.FindAsync(credential.Hash, default));

        await other.AddAsync(credential, default);

        Assert.NotNull(await stage.Directory.FindAsync(credential.Hash, default));
        Assert.Equal(1, stage.Directory.Count);
    }

    [Fact]
    public async Task Find_RevokedByAnother_ShowsItOnceTheFeedKnows()
    {
        await using var stage = await Stage.OpenAsync(Open(), _clock);
        await using var other = Open();
        await other.AddAsync(TestCredential.New("one"), default);
        await other.AddAsync(TestCredential.New("two"), default);
        var two = await stage.Directory.FindAsync(TestCredential.New("two").Hash, default);
        Assert.Null((await stage.Directory.FindAsync(TestCredential.New("one").Hash, default))!.RevokedAt);

        await other.RevokeAsync("one", TestCredential.Now, default);
        await stage.Feed.ReadAsync(default);

        Assert.Equal(
            TestCredential.Now, (await stage.Directory.FindAsync(TestCredential.New("one").Hash, default))!.RevokedAt);
        // no other is dropped
        Assert.Same(two, await stage.Directory.FindAsync(TestCredential.New("two").Hash, default));
    }

    [Fact]
    public async Task Find_ShortenedByAnother_ShowsItOnceTheFeedKnows()
    {
        await using var stage = await Stage.OpenAsync(Open(), _clock);
        await using var other = Open();
        await other.AddAsync(TestCredential.New("one"), default);
        await stage.Directory.FindAsync(TestCredential.New("one").Hash, default);

        await other.ShortenAsync("one", TestCredential.Now.AddHours(1), default);
        await stage.Feed.ReadAsync(default);

        Assert.Equal(
            TestCredential.Now.AddHours(1),
            (await stage.Directory.FindAsync(TestCredential.New("one").Hash, default))!.ExpiresAt);
    }

    [Fact]
    public async Task Find_FeedThatIsNotCurrent_AsksTheStore()
    {
        await using var stage = await Stage.OpenAsync(Open(), _clock);
        await using var other = Open();
        await other.AddAsync(TestCredential.New("one"), default);
        await stage.Directory.FindAsync(TestCredential.New("one").Hash, default);
        await other.RevokeAsync("one", TestCredential.Now, default); // and the feed does not hear of it

        // it is current still
        Assert.Null((await stage.Directory.FindAsync(TestCredential.New("one").Hash, default))!.RevokedAt);
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.NotNull((await stage.Directory.FindAsync(TestCredential.New("one").Hash, default))!.RevokedAt);
    }

    [Fact]
    public async Task Find_StoreGone_ServesFromMemoryForASecondAndThenRefuses()
    {
        await using var server = await RedisServer.StartAsync();
        await using var stage = await Stage.OpenAsync(Open(server), _clock);
        var credential = TestCredential.New("one");
        await stage.Store.AddAsync(credential, default);
        await stage.Directory.FindAsync(credential.Hash, default);

        await server.KillAsync();

        Assert.NotNull(await stage.Directory.FindAsync(credential.Hash, default));
        await Assert.ThrowsAnyAsync<StateException>(
            async () => await stage.Directory.FindAsync(TestCredential.New("unknown").Hash, default));
        _clock.Advance(TimeSpan.FromSeconds(1));
        await stage.Feed.ReadAsync(default);
        await Assert.ThrowsAnyAsync<StateException>(
            async () => await stage.Directory.FindAsync(credential.Hash, default));

        await server.StartAgainAsync();
        await Eventually.TrueAsync(() => stage.Feed.ReadAsync(default));
        Assert.NotNull(await stage.Directory.FindAsync(credential.Hash, default));
    }

    [Fact]
    public async Task Find_StoreKnownToBeAway_RefusesWithoutAskingItAgain()
    {
        // The file was gone, which the feed has seen; a look-up of its own would be answered, since the file is back.
        await using var stage = await Stage.OpenAsync(Open(), _clock);
        var credential = TestCredential.New("one");
        await stage.Store.AddAsync(credential, default);
        Assert.NotNull(await stage.Directory.FindAsync(credential.Hash, default));
        var file = Path.Combine(_folder.Path, SqliteDatabase.FileName);
        File.Move(file, file + ".away");

        Assert.False(await stage.Feed.ReadAsync(default));
        File.Move(file + ".away", file);
        _clock.Advance(TimeSpan.FromSeconds(1));

        await Assert.ThrowsAnyAsync<StateException>(
            async () => await stage.Directory.FindAsync(credential.Hash, default));
    }

    [Fact]
    public async Task Find_AMinuteOld_IsReadAgain()
    {
        await using var stage = await Stage.OpenAsync(Open(), _clock);
        await stage.Store.AddAsync(TestCredential.New("one"), default);
        var first = await stage.Directory.FindAsync(TestCredential.New("one").Hash, default);

        _clock.Advance(TimeSpan.FromMinutes(1));
        await stage.Feed.ReadAsync(default);

        Assert.NotSame(first, await stage.Directory.FindAsync(TestCredential.New("one").Hash, default));
    }

    [Fact]
    public async Task Find_MoreThanFit_TheOldestGoes()
    {
        await using var stage = await Stage.OpenAsync(Open(), _clock, capacity: 3);
        for (var i = 0; i < 5; i++)
        {
            await stage.Store.AddAsync(TestCredential.New($"c{i}"), default);
            await stage.Directory.FindAsync(TestCredential.New($"c{i}").Hash, default);
        }

        Assert.Equal(3, stage.Directory.Count);
        var newest = await stage.Directory.FindAsync(TestCredential.New("c4").Hash, default);
        Assert.Same(newest, await stage.Directory.FindAsync(TestCredential.New("c4").Hash, default));
    }

    [Fact]
    public async Task Find_RevokedBetweenReadingAndRemembering_IsNotRemembered()
    {
        var (store, reads) = PausedReads.Of(Open());
        await using var stage = await Stage.OpenAsync(store, _clock);
        await store.AddAsync(TestCredential.New("one"), default);
        var gate = new TaskCompletionSource();
        reads.Gate = gate.Task;
        var finding = stage.Directory.FindAsync(TestCredential.New("one").Hash, default).AsTask(); // has read it by now

        await store.RevokeAsync("one", TestCredential.Now, default);
        await stage.Feed.ReadAsync(default); // finds nothing to drop
        gate.SetResult();

        Assert.Null((await finding)!.RevokedAt); // asked before the revocation, answered so
        Assert.Equal(0, stage.Directory.Count);
        Assert.NotNull((await stage.Directory.FindAsync(TestCredential.New("one").Hash, default))!.RevokedAt);
    }

    [Fact]
    public async Task Find_WhileItIsRevoked_NeverRemembersTheOldOne()
    {
        await using var stage = await Stage.OpenAsync(Open(), _clock);
        for (var i = 0; i < 300; i++)
        {
            var credential = TestCredential.New($"c{i}");
            await stage.Store.AddAsync(credential, default);
            using var start = new Barrier(3);
            var finding = Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
            {
                start.SignalAndWait();
                await stage.Directory.FindAsync(credential.Hash, default);
            })).ToList();
            start.SignalAndWait();
            await stage.Store.RevokeAsync(credential.Id, TestCredential.Now, default);
            await Task.WhenAll(finding.Append(stage.Feed.ReadAsync(default)));

            Assert.NotNull((await stage.Directory.FindAsync(credential.Hash, default))!.RevokedAt);
        }
    }

    [Fact]
    public async Task RecordUse_SeveralOfOne_TheLatestIsWrittenByTheNextFlush()
    {
        await using var stage = await Stage.OpenAsync(Open(), _clock);
        await stage.Store.AddAsync(TestCredential.New("one"), default);

        stage.Directory.RecordUse(new("one", TestCredential.Now.AddTicks(2), Address));
        stage.Directory.RecordUse(new("one", TestCredential.Now.AddTicks(1), IPAddress.Loopback));
        Assert.Null((await stage.Store.FindAsync("one", default))!.LastUsedAt);
        await stage.Uses.FlushAsync(default);

        var used = await stage.Store.FindAsync("one", default);
        Assert.Equal((TestCredential.Now.AddTicks(2), Address), (used!.LastUsedAt, used.LastUsedFrom));
    }

    [Fact]
    public async Task RecordUse_StoreGone_IsWrittenOnceItIsBack()
    {
        await using var server = await RedisServer.StartAsync();
        await using var stage = await Stage.OpenAsync(Open(server), _clock);
        await stage.Store.AddAsync(TestCredential.New("one"), default);
        stage.Directory.RecordUse(new("one", TestCredential.Now, Address));

        await server.KillAsync();
        await stage.Uses.FlushAsync(default);
        stage.Directory.RecordUse(new("one", TestCredential.Now.AddTicks(-1), Address)); // the later one stays
        await server.StartAgainAsync();
        await Eventually.TrueAsync(() => stage.Feed.ReadAsync(default));
        await stage.Uses.FlushAsync(default);

        Assert.Equal(TestCredential.Now, (await stage.Store.FindAsync("one", default))!.LastUsedAt);
    }

    [Fact]
    public async Task RecordUse_MoreThanFit_AreLeftOut()
    {
        await using var store = Open();
        using var uses = new CredentialUses(store, _clock, capacity: 2);
        for (var i = 0; i < 3; i++)
        {
            await store.AddAsync(TestCredential.New($"c{i}"), default);
            uses.Record(new($"c{i}", TestCredential.Now, Address));
        }

        uses.Record(new("c0", TestCredential.Now.AddTicks(1), Address)); // one that waits already is brought up to date
        await uses.FlushAsync(default);

        Assert.Equal(TestCredential.Now.AddTicks(1), (await store.FindAsync("c0", default))!.LastUsedAt);
        Assert.NotNull((await store.FindAsync("c1", default))!.LastUsedAt);
        Assert.Null((await store.FindAsync("c2", default))!.LastUsedAt);
    }

    [Fact]
    public async Task RecordUse_RunningGateway_IsWrittenEveryFiveSecondsAndAtItsEnd()
    {
        await using var store = Open();
        await store.AddAsync(TestCredential.New("one"), default);
        var clock = new ObservedClock(TestCredential.Now);
        using var uses = new CredentialUses(store, clock);
        await uses.StartAsync(default);
        await clock.TimerStarted;

        uses.Record(new("one", TestCredential.Now, Address));
        clock.Advance(TimeSpan.FromSeconds(5));
        await Eventually.TrueAsync(
            async () => (await store.FindAsync("one", default))!.LastUsedAt == TestCredential.Now);
        uses.Record(new("one", TestCredential.Now.AddTicks(1), Address));
        await uses.StopAsync(new CancellationToken(canceled: true));

        Assert.Equal(TestCredential.Now.AddTicks(1), (await store.FindAsync("one", default))!.LastUsedAt);
    }

    [Fact]
    public async Task Pruning_RunningGateway_ForgetsHourlyWhatEndedThirtyDaysAgo()
    {
        await using var store = Open();
        await store.AddAsync(TestCredential.New("old") with { ExpiresAt = TestCredential.Now.AddDays(-30) }, default);
        await store.AddAsync(TestCredential.New("young") with { ExpiresAt = TestCredential.Now.AddDays(-29) }, default);
        var clock = new ObservedClock(TestCredential.Now);
        var logger = new ListLogger<StatePruning>();
        using var pruning = new StatePruning(store, clock, logger);
        await pruning.StartAsync(default);
        await clock.TimerStarted;

        clock.Advance(TimeSpan.FromHours(1));
        await Eventually.TrueAsync(async () => await store.FindAsync("old", default) is null && logger.Lines.Count > 0);
        await pruning.StopAsync(default);

        Assert.NotNull(await store.FindAsync("young", default));
        Assert.Equal(
            ["Information 1130 1 tokens that expired or were revoked more than 30 days ago were deleted."],
            logger.Lines);
    }

    private static RedisCredentialStore Open(RedisServer server) => new(
        new RedisConnection(server.Options, TimeProvider.System, NullLogger<RedisConnection>.Instance),
        server.Options,
        TimeProvider.System,
        NullLogger<RedisCredentialStore>.Instance,
        ownsConnection: true);

    private SqliteCredentialStore Open() => SqliteCredentialStore.Open(_folder.Path);

    private sealed class Stage : IAsyncDisposable
    {
        private Stage(ICredentialStore store, TimeProvider clock, int capacity)
        {
            Store = store;
            Feed = new RevocationFeed(store, clock, NullLogger<RevocationFeed>.Instance);
            Uses = new CredentialUses(store, clock);
            Directory = new CredentialDirectory(store, Feed, Uses, clock, capacity);
        }

        public ICredentialStore Store { get; }

        public RevocationFeed Feed { get; }

        public CredentialUses Uses { get; }

        public CredentialDirectory Directory { get; }

        public static async Task<Stage> OpenAsync(ICredentialStore store, TimeProvider clock, int capacity = 100)
        {
            var stage = new Stage(store, clock, capacity);
            Assert.True(await stage.Feed.ReadAsync(default));
            return stage;
        }

        public async ValueTask DisposeAsync()
        {
            Directory.Dispose();
            Uses.Dispose();
            Feed.Dispose();
            await Store.DisposeAsync();
        }
    }
}
