using System.Diagnostics;
using System.Reflection;
using Gateway.Foundation.Configuration;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Store.State;

/// <summary>
/// What a replica knows of revocations. The store is a real file, and "the other" another process's view of it.
/// </summary>
public sealed class RevocationFeedTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly ListLogger<RevocationFeed> _logger = new();

    private string DatabaseFile => Path.Combine(_folder.Path, SqliteDatabase.FileName);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task IsRevoked_RevokedByAnother_AfterReadingAndOnlyThat()
    {
        await using var store = Open();
        await using var other = Open();
        using var feed = Feed(store);
        await store.AddAsync(TestCredential.New("one"), default);
        await store.AddAsync(TestCredential.New("two"), default);
        await feed.ReadAsync(default);

        await other.RevokeAsync("one", _clock.GetUtcNow().AddSeconds(30), default); // its clock is ahead
        Assert.False(feed.IsRevoked("one"));
        await feed.ReadAsync(default);

        Assert.True(feed.IsRevoked("one"));
        Assert.False(feed.IsRevoked("two"));
        Assert.False(feed.IsRevoked(TestCredential.Alice, DateTimeOffset.MinValue.AddYears(1)));
    }

    [Fact]
    public async Task Read_ChangeThatNoClockKnows_IsDownAndDoesNotThrow()
    {
        await using var store = Open();
        using var feed = Feed(store);
        using (var session = SqliteSession.Open(DatabaseFile, SqliteOpenMode.ReadWrite))
        {
            session.Execute("INSERT INTO changes (kind, key, at) VALUES ('revoked', 'one', 9223372036854775807)");
        }

        Assert.False(await feed.ReadAsync(default));
        Assert.False(feed.IsCurrent);
        Assert.StartsWith(
            "Error 1133 The token store cannot be read: ", Assert.Single(_logger.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_BlocksThatCannotBeRead_IsDownAndTheRevocationsAreKnownAllTheSame()
    {
        await using var store = Open();
        await using var other = Open();
        using var feed = Feed(store);
        await store.AddAsync(TestCredential.New("one"), default);
        await feed.ReadAsync(default);
        using (var session = SqliteSession.Open(DatabaseFile, SqliteOpenMode.ReadWrite))
        {
            session.Execute("INSERT INTO blocks (subject, document, changed_at) VALUES ('user:x', 'broken', 1)");
        }

        await other.RevokeAsync("one", _clock.GetUtcNow(), default);

        Assert.False(await feed.ReadAsync(default));
        Assert.True(feed.IsRevoked("one"));
    }

    [Fact]
    public async Task Read_BlocksThatAreLate_TheRevocationsAreKnownAtOnce()
    {
        await using var inner = Open();
        var store = DispatchProxy.Create<ICredentialStore, LateBlocks>();
        var late = (LateBlocks)(object)store;
        late.Inner = inner;
        using var feed = Feed(store);
        await inner.AddAsync(TestCredential.New("one"), default);
        await feed.ReadAsync(default);
        late.Answer = new TaskCompletionSource();
        await inner.RevokeAsync("one", _clock.GetUtcNow(), default);

        var reading = feed.ReadAsync(default);

        await Eventually.TrueAsync(() => feed.IsRevoked("one"));
        Assert.False(reading.IsCompleted);
        late.Answer.SetResult();
        Assert.True(await reading);
    }

    [Fact]
    public async Task IsRevoked_Subject_TokensIssuedUntilThenAndNoLaterOnes()
    {
        await using var store = Open();
        using var feed = Feed(store);
        var at = _clock.GetUtcNow();

        await store.RevokeAllAsync(TestCredential.Alice, at, default);
        await store.RevokeAllAsync(TestCredential.Alice, at.AddSeconds(-5), default); // told late
        await feed.ReadAsync(default);

        Assert.True(feed.IsRevoked(TestCredential.Alice, at.AddSeconds(-1)));
        Assert.True(feed.IsRevoked(TestCredential.Alice, at));
        Assert.False(feed.IsRevoked(TestCredential.Alice, at.AddSeconds(1)));
        Assert.False(feed.IsRevoked(TestCredential.RobotAlice, at.AddSeconds(-1)));
        Assert.False(feed.IsRevoked(TestCredential.Alice with { Name = "bob" }, at.AddSeconds(-1)));
    }

    [Fact]
    public async Task IsRevoked_SubjectByARevokerWhoseClockIsBehind_TokensIssuedUntilItIsKnownHere()
    {
        await using var store = Open();
        using var feed = Feed(store);
        var now = _clock.GetUtcNow();

        await store.RevokeAllAsync(TestCredential.Alice, now.AddSeconds(-20), default);
        await feed.ReadAsync(default);

        Assert.True(feed.IsRevoked(TestCredential.Alice, now));
        Assert.False(feed.IsRevoked(TestCredential.Alice, now.AddSeconds(1)));
    }

    [Fact]
    public async Task IsRevoked_SubjectLongBeforeTheStart_TokensIssuedUntilThen()
    {
        await using var store = Open();
        using var feed = Feed(store);
        var at = _clock.GetUtcNow().AddMinutes(-10);

        Assert.False(feed.HasRead);
        await store.RevokeAllAsync(TestCredential.Alice, at, default);
        await feed.ReadAsync(default);

        Assert.True(feed.HasRead);
        Assert.True(feed.IsRevoked(TestCredential.Alice, at));
        Assert.False(feed.IsRevoked(TestCredential.Alice, at.AddSeconds(1)));
    }

    [Fact]
    public async Task IsRevoked_ShortenedCredential_FromItsNewEndOn()
    {
        // An access token behind it may still have minutes to live then.
        await using var store = Open();
        using var feed = Feed(store);
        await store.AddAsync(TestCredential.New("one"), default);
        await store.ShortenAsync("one", _clock.GetUtcNow().AddMinutes(1), default);
        await feed.ReadAsync(default);

        Assert.False(feed.IsRevoked("one"));
        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(feed.IsRevoked("one"));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(feed.IsRevoked("one"));
    }

    [Fact]
    public async Task IsRevoked_ShortenedAndThenRevoked_AtOnce()
    {
        await using var store = Open();
        using var feed = Feed(store);
        await store.AddAsync(TestCredential.New("one"), default);
        await store.ShortenAsync("one", _clock.GetUtcNow().AddMinutes(1), default);
        await store.RevokeAsync("one", _clock.GetUtcNow(), default);
        await feed.ReadAsync(default);

        Assert.True(feed.IsRevoked("one"));
    }

    [Fact]
    public async Task IsRevoked_AsLongAsAnyAccessTokenLives_AndThenForgotten()
    {
        await using var store = Open();
        using var feed = Feed(store);
        await store.AddAsync(TestCredential.New("one"), default);
        await store.RevokeAsync("one", _clock.GetUtcNow(), default);
        await store.RevokeAllAsync(TestCredential.RobotAlice, _clock.GetUtcNow(), default);
        var issuedAt = _clock.GetUtcNow();
        await feed.ReadAsync(default);

        _clock.Advance(TimeSpan.FromHours(25)); // an hour of life, 24 of an upload
        await feed.ReadAsync(default);
        Assert.True(feed.IsRevoked("one"));
        Assert.True(feed.IsRevoked(TestCredential.RobotAlice, issuedAt));

        _clock.Advance(TimeSpan.FromHours(2));
        await feed.ReadAsync(default);
        Assert.False(feed.IsRevoked("one"));
        Assert.False(feed.IsRevoked(TestCredential.RobotAlice, issuedAt));
    }

    [Fact]
    public async Task IsRevoked_ReplicaThatStartsLater_KnowsAllOfIt()
    {
        await using var store = Open();
        await Task.WhenAll(Enumerable.Range(0, 1500).Select(i => store.AddAsync(TestCredential.New($"c{i}"), default)));
        await store.RevokeAllAsync(TestCredential.Alice, _clock.GetUtcNow(), default);

        using var feed = Feed(store);
        Assert.True(await feed.ReadAsync(default));

        Assert.All(Enumerable.Range(0, 1500), i => Assert.True(feed.IsRevoked($"c{i}")));
        Assert.True(feed.IsRevoked(TestCredential.Alice, _clock.GetUtcNow()));
    }

    [Fact]
    public async Task IsRevoked_MoreThanCanBeKept_RefusesEverythingIssuedUntilThen()
    {
        await using var store = Open();
        using var feed = new RevocationFeed(store, _clock, _logger, capacity: 10);
        await Task.WhenAll(Enumerable.Range(0, 11).Select(i => store.AddAsync(TestCredential.New($"c{i}"), default)));
        await store.RevokeAllAsync(TestCredential.RobotAlice, _clock.GetUtcNow(), default);
        foreach (var i in Enumerable.Range(0, 9))
        {
            await store.RevokeAsync($"c{i}", _clock.GetUtcNow(), default);
        }

        await feed.ReadAsync(default);
        Assert.False(feed.IsRevoked(TestCredential.Alice, _clock.GetUtcNow())); // ten are kept
        await store.RevokeAsync("c10", _clock.GetUtcNow(), default);
        await feed.ReadAsync(default);

        Assert.True(feed.IsRevoked(TestCredential.Alice, _clock.GetUtcNow()));
        Assert.False(feed.IsRevoked(TestCredential.Alice, _clock.GetUtcNow().AddSeconds(1)));
        Assert.Single(_logger.Lines);
    }

    [Fact]
    public async Task IsCurrent_OnlyForASecondAfterAReading()
    {
        await using var store = Open();
        using var feed = Feed(store);

        Assert.False(feed.IsCurrent); // nothing was read yet
        await feed.ReadAsync(default);
        Assert.True(feed.IsCurrent);
        _clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.True(feed.IsCurrent);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(feed.IsCurrent);
        await feed.ReadAsync(default);
        Assert.True(feed.IsCurrent);
    }

    [Fact]
    public async Task IsCurrent_StoreGone_EndsAndIsToldOnceAndComesBackWithWhatWasMissed()
    {
        await using var store = Open();
        using var feed = Feed(store);
        await store.AddAsync(TestCredential.New("one"), default);
        await feed.ReadAsync(default);

        File.Move(DatabaseFile, DatabaseFile + ".away");
        Assert.False(await feed.ReadAsync(default));
        Assert.True(feed.IsCurrent); // within the second
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await feed.ReadAsync(default));
        Assert.False(feed.IsCurrent);
        Assert.False(feed.IsUp);

        File.Move(DatabaseFile + ".away", DatabaseFile);
        await store.RevokeAsync("one", _clock.GetUtcNow(), default);
        Assert.True(await feed.ReadAsync(default));
        Assert.True(feed.IsCurrent);
        Assert.True(feed.IsRevoked("one"));
        Assert.Equal(2, _logger.Lines.Count);
        Assert.StartsWith(
            $"Error 1133 {DatabaseFile}: the store was removed or replaced while the gateway was running. ",
            _logger.Lines[0],
            StringComparison.Ordinal);
        Assert.Equal("Information 1134 The token store has recovered.", _logger.Lines[1]);
    }

    [Fact]
    public async Task Changed_OfTheStore_IsReadWithoutWaitingForTheNextPoll()
    {
        await using var store = Open();
        using var feed = Feed(store); // nobody polls
        await store.AddAsync(TestCredential.New("one"), default);

        await store.RevokeAsync("one", _clock.GetUtcNow(), default);

        await Eventually.TrueAsync(() => feed.IsRevoked("one"));
    }

    [Fact]
    public async Task FindBlock_StoreEmptied_StaysInForceAndIsWrittenBack_AndALiftedOneStaysLifted()
    {
        await using var store = Open();
        using (var feed = Feed(store, new BlockFile(_folder.Path)))
        {
            await store.WriteBlockAsync(Block("user:alice"), default);
            await store.WriteBlockAsync(Block("user:bob").Lift(_clock.GetUtcNow(), "root"), default);
            Assert.True(await feed.ReadAsync(default));
            Assert.NotNull(feed.FindBlock(TestCredential.Alice));

            Empty();
            Assert.True(await feed.ReadAsync(default));

            Assert.NotNull(feed.FindBlock(TestCredential.Alice));
            Assert.Equal(2, (await store.ReadBlocksAsync("", default)).Blocks!.Count);
            Assert.Equal(
                "Warning 1136 The store had lost blocks that this gateway knows (2: user:alice, user:bob): it was "
                + "emptied, or replaced with an older one. They stayed in force and are in the store again; tokens "
                + "that were revoked meanwhile may be valid again.",
                Assert.Single(_logger.Lines));
        }

        // And by one that knows it from the file alone.
        Empty();
        await store.WriteBlockAsync(Block("user:bob"), default); // as an older backup has it
        using var next = Feed(store, new BlockFile(_folder.Path));
        Assert.NotNull(next.FindBlock(TestCredential.Alice)); // before the first reading
        Assert.True(await next.ReadAsync(default));
        Assert.NotNull(next.FindBlock(TestCredential.Alice));
        Assert.Null(next.FindBlock(TestCredential.Alice with { Name = "bob" }));
        var kept = (await store.ReadBlocksAsync("", default)).Blocks!;
        Assert.Equal(
            [("user:alice", false), ("user:bob", true)],
            kept.OrderBy(static one => one.Subject).Select(static one => (one.Subject, one.LiftedAt is not null)));

        void Empty()
        {
            using var session = SqliteSession.Open(DatabaseFile, SqliteOpenMode.ReadWrite);
            session.Execute("DELETE FROM blocks");
        }
    }

    [Fact]
    public async Task KnowsBlocks_NothingReadAndNoFile_OnlyAfterTheFirstReading()
    {
        await using var store = Open();
        using (var feed = Feed(store, new BlockFile(_folder.Path)))
        {
            Assert.False(feed.KnowsBlocks);
            await feed.ReadAsync(default);
            Assert.True(feed.KnowsBlocks);
        }

        using var next = Feed(store, new BlockFile(_folder.Path)); // it kept that there are none
        Assert.True(next.KnowsBlocks);
    }

    [Fact]
    public async Task Feed_FileThatIsNotUnderstood_DoesNotBegin()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "blocked.json"), "{");
        await using var store = Open();

        Assert.Throws<ProblemException>(() => Feed(store, new BlockFile(_folder.Path)));
    }

    [Fact]
    public async Task FindBlock_FileThatCannotBeWritten_IsInForceAndToldOnce()
    {
        await using var store = Open();
        using var feed = Feed(store, new BlockFile("/proc/gateway/state")); // /proc takes no folders, not even root's
        await store.WriteBlockAsync(Block("user:alice"), default);

        Assert.True(await feed.ReadAsync(default));
        Assert.True(await feed.ReadAsync(default));
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.True(await feed.ReadAsync(default)); // tried again, and tokens go on

        Assert.NotNull(feed.FindBlock(TestCredential.Alice));
        Assert.True(feed.IsCurrent);
        Assert.StartsWith(
            "Error 1137 Blocks are in force, but could not be saved in every place; the gateway tries again: "
            + "/proc/gateway/state/blocked.json: ",
            Assert.Single(_logger.Lines),
            StringComparison.Ordinal);
    }

    // flock(1) around a backup of the folder: revocations must be read all the while.
    [Fact]
    public async Task FindBlock_FolderThatIsLocked_IsInForceAndFiledOnceThatIsOver()
    {
        await using var store = Open();
        var file = new BlockFile(_folder.Path);
        using var feed = Feed(store, file);
        using (var holder = Process.Start(
            new ProcessStartInfo("flock", [_folder.Path, "sh", "-c", "echo locked; read end"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!)
        {
            Assert.Equal("locked", await holder.StandardOutput.ReadLineAsync());
            await store.WriteBlockAsync(Block("user:alice"), default);

            Assert.True(await feed.ReadAsync(default).WaitAsync(TimeSpan.FromSeconds(30)));
            Assert.NotNull(feed.FindBlock(TestCredential.Alice));
            Assert.Null(file.Read());
            Assert.Contains(
                "another process has locked its folder", Assert.Single(_logger.Lines), StringComparison.Ordinal);
            holder.StandardInput.Close();
            await holder.WaitForExitAsync();
        }

        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.True(await feed.ReadAsync(default));
        Assert.NotNull(file.Read()!.Find("user:alice"));
    }

    private SubjectBlock Block(string subject) => SubjectBlock.Create(null, subject, _clock.GetUtcNow(), "root");

    private SqliteCredentialStore Open() => SqliteCredentialStore.Open(_folder.Path);

    /// <summary>A store whose blocks are read when a test says so.</summary>
    public class LateBlocks : DispatchProxy
    {
        internal ICredentialStore Inner { get; set; } = null!;

        internal TaskCompletionSource? Answer { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == nameof(ICredentialStore.ReadBlocksAsync) && Answer is { } answer
                ? ReadLateAsync(answer.Task, args!)
                : targetMethod.Invoke(Inner, args);

        private async Task<BlockPage> ReadLateAsync(Task answer, object?[] args)
        {
            await answer;
            return await Inner.ReadBlocksAsync((string)args[0]!, (CancellationToken)args[1]!);
        }
    }

    private RevocationFeed Feed(ICredentialStore store, BlockFile? file = null) => new(store, _clock, _logger, file);
}
