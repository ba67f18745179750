#pragma warning disable CA1416 // the gateway runs on Linux
using System.IO.Compression;
using Gateway.Backup;
using Gateway.Core.Tokens;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;
using Gateway.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Server.Store.State;

/// <summary>The file: how it is made, what is refused and in which words, how older ones come along.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TemporaryFolder _folder = new();

    private string Folder => Path.Combine(_folder.Path, "state");

    private string DatabaseFile => Path.Combine(Folder, SqliteDatabase.FileName);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Open_NothingThere_MakesFolderAndFileForTheOwnerAlone()
    {
        await using (var store = SqliteCredentialStore.Open(Folder))
        {
            await store.AddAsync(TestCredential.New("one"), default);

            Assert.Equal(Owner | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder));
            var files = Directory.GetFiles(Folder);
            Assert.Equal(3, files.Length); // with SQLite's log and index of it
            Assert.All(files, static file => Assert.Equal(Owner, File.GetUnixFileMode(file)));
        }

        Assert.Equal([DatabaseFile], Directory.GetFiles(Folder)); // the log is emptied into it
    }

    [Fact]
    public async Task Open_File_IsDurableAndOurs()
    {
        await using var store = SqliteCredentialStore.Open(Folder);
        using var session = SqliteSession.Open(DatabaseFile, SqliteOpenMode.ReadWrite);

        Assert.Equal(2, session.Number("PRAGMA synchronous")); // FULL
        Assert.Equal("wal", session.Query("PRAGMA journal_mode", static row => row.GetString(0)).Single());
        Assert.Equal(SqliteSchema.ApplicationId, session.Number("PRAGMA application_id"));
        Assert.Equal(SqliteSchema.Migrations.Count, session.Number("PRAGMA user_version"));
        Assert.Equal(5000, session.Number("PRAGMA busy_timeout"));
        Assert.Equal(1, session.Number("PRAGMA secure_delete"));
    }

    [Fact]
    public void Open_TextFile_IsRefused()
    {
        _folder.Write("state/gateway.db", new string('x', 4096));

        AssertRefused(
            $"{DatabaseFile}: the file is not an SQLite database. Move it away, or set state.folder to another folder.");
    }

    [Fact]
    public void Open_AnotherProgramsDatabase_IsRefusedAndUntouched()
    {
        Make("CREATE TABLE theirs (x); PRAGMA user_version=1");
        var before = File.ReadAllBytes(DatabaseFile);

        AssertRefused(
            $"{DatabaseFile}: the file is another program's database. Move it away, or set state.folder to another "
                + "folder.");
        Assert.Equal(before, File.ReadAllBytes(DatabaseFile));
    }

    [Fact]
    public void Open_AnotherProgramsDatabaseWithoutVersion_IsRefused()
    {
        Make("CREATE TABLE theirs (x)");

        var exception = Assert.Throws<ProblemException>(() => SqliteCredentialStore.Open(Folder));
        Assert.Contains("is another program's database", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NewerVersion_IsRefusedNamingBothVersions()
    {
        SqliteFile.Open(DatabaseFile, [.. SqliteSchema.Migrations, "CREATE TABLE later (x)"], out var session);
        session.Dispose();

        var newest = SqliteSchema.Migrations.Count;
        AssertRefused(
            $"{DatabaseFile}: the store has schema version {newest + 1}, but this gateway supports versions up "
                + $"to {newest}. "
            + "Run the newer gateway that wrote it, or restore the backup made before the upgrade.");
    }

    [Fact]
    public void Open_OlderVersion_IsMigratedStepByStepWithItsData()
    {
        SqliteFile.Open(DatabaseFile, ["CREATE TABLE kept (x); INSERT INTO kept VALUES (7)"], out var first);
        first.Dispose();

        SqliteFile.Open(
            DatabaseFile,
            ["never run again", "ALTER TABLE kept ADD COLUMN y; UPDATE kept SET y = x + 1", "UPDATE kept SET y = y * "
                + "10"],
            out var session);
        using (session)
        {
            Assert.Equal(80, session.Number("SELECT y FROM kept"));
            Assert.Equal(3, session.Number("PRAGMA user_version"));
        }
    }

    // Version 2 is 0.1.0's.
    [Fact]
    public async Task Open_FileOfVersionTwo_KeepsTokensAndRemembersRevokedJobs()
    {
        SqliteFile.Open(DatabaseFile, [.. SqliteSchema.Migrations.Take(2)], out var older);
        using (older)
        {
            foreach (var one in new[]
            {
                TestCredential.New("personal") with { ExpiresAt = TestCredential.Now.AddDays(9000) },
                Job("job revoked") with { RevokedAt = TestCredential.Now.AddDays(-1) },
                Job("job ended") with { ExpiresAt = TestCredential.Now.AddHours(-1) },
                TestCredential.New("personal revoked") with { RevokedAt = TestCredential.Now.AddDays(-1) },
            })
            {
                older.Execute(
                    "INSERT INTO credentials (id, hash, owner, document, created_at, expires_at, revoked_at) VALUES "
                        + "($1, $2, $3, $4, $5, $6, $7)",
                    one.Id, one.Hash.ToBytes(), one.Owner.ToString(), CredentialDocument.Write(one),
                    one.CreatedAt.UtcTicks,
                    one.ExpiresAt.UtcTicks, one.RevokedAt?.UtcTicks);
            }
        }

        await using var store = SqliteCredentialStore.Open(Folder);
        Assert.Equal(TokenState.Active, (await store.FindAsync("personal", default))!.StateAt(TestCredential.Now));
        Assert.Equal(
            TokenState.Revoked, (await store.FindAsync(Job("job revoked").Hash, default))!.StateAt(TestCredential.Now));

        // Their ID tokens may live yet, and would be judged anew where they were forgotten.
        await store.PruneAsync(TestCredential.Now.AddDays(300), default);
        Assert.Equal(
            ["job revoked", "personal"], (await store.ListAsync(null, default)).Select(static one => one.Id).Order());
        await store.PruneAsync(TestCredential.Now.AddDays(500), default);
        Assert.Equal(["personal"], (await store.ListAsync(null, default)).Select(static one => one.Id));

        static StoredCredential Job(string id) => TestCredential.New(id) with { Kind = CredentialKind.Workload };
    }

    [Fact]
    public async Task Open_FileWithoutBlocks_IsMigratedAndKeepsItsTokens()
    {
        var token = TestCredential.NewComplete("one");
        await using (var store = SqliteCredentialStore.Open(Folder))
        {
            await store.AddAsync(token, default);
            await store.RevokeAllAsync(TestCredential.RobotAlice, TestCredential.Now, default);
        }

        SqliteFile.Open(DatabaseFile, SqliteSchema.Migrations, out var session);
        using (session)
        {
            session.Execute("DROP TABLE blocks");
            session.Execute("PRAGMA user_version=3"); // as the version before left it
        }

        await using var migrated = SqliteCredentialStore.Open(Folder);
        TestCredential.AssertSame(token, await migrated.FindAsync("one", default));
        Assert.Equal("robot:alice", Assert.Single((await migrated.ReadChangesAsync(0, default)).Changes).Key);
        Assert.Empty((await migrated.ReadBlocksAsync("", default)).Blocks!);
        Assert.True(
            await migrated.WriteBlockAsync(new SubjectBlock("user:alice", TestCredential.Now, "root"), default));
        Assert.Single((await migrated.ReadBlocksAsync("", default)).Blocks!);
    }

    // As a gateway of 0.2.0 that was killed left it, by another build of SQLite: nearly all of it is in the log.
    [Fact]
    public async Task Open_FilesOfAKilled020_HaveAllThatWasAnswered()
    {
        var made = new DateTimeOffset(2026, 11, 30, 12, 30, 0, TimeSpan.Zero);
        Directory.CreateDirectory(Folder);
        ZipFile.ExtractToDirectory(Path.Combine(
            RepositoryRoot.Path, "tests", "Gateway.Tests", "Server", "Store", "State", "stores", "0.2.0.zip"), Folder);

        await using (var store = SqliteCredentialStore.Open(Folder))
        {
            Assert.Equal(
                ["apx8tqds3kmh user:alice active", "rdcjc9e7xbyr user:alice revoked", "tcdk3anmmmxf robot:ci active"],
                (await store.ListAsync(null, default))
                    .Select(one => $"{one.Id} {one.Owner} {one.StateAt(made)}".ToLowerInvariant())
                    .Order());
            var robot = await store.FindAsync("tcdk3anmmmxf", default);
            TestCredential.AssertSame(robot!, await store.FindAsync(robot!.Hash, default));
            Assert.Contains(
                (await store.ReadChangesAsync(0, default)).Changes, static change => change.Key == "rdcjc9e7xbyr");
            Assert.Equal("user:bob", Assert.Single((await store.ReadBlocksAsync("", default)).Blocks!).Subject);
            Assert.True(await store.RevokeAsync("apx8tqds3kmh", made, default));
        }

        Assert.Equal([DatabaseFile], Directory.GetFiles(Folder));
        SqliteSnapshot.Take(DatabaseFile, _folder.Write("copy", ""));
    }

    [Fact]
    public void Open_MigrationThatFails_LeavesTheVersionBefore()
    {
        SqliteFile.Open(DatabaseFile, ["CREATE TABLE kept (x)"], out var first);
        first.Dispose();

        Assert.Throws<ProblemException>(() => SqliteFile.Open(
            DatabaseFile,
            ["", "INSERT INTO kept VALUES (1)", "INSERT INTO kept VALUES (2); INSERT INTO nowhere VALUES (3)"], out _));

        using var session = SqliteSession.Open(DatabaseFile, SqliteOpenMode.ReadWrite);
        Assert.Equal(2, session.Number("PRAGMA user_version"));
        Assert.Equal(1, session.Number("SELECT count(*) FROM kept"));
    }

    [Fact]
    public async Task Open_ManyProcessesAtOnce_OneMakesTheTables()
    {
        var stores = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Task.Run(() => SqliteCredentialStore.Open(Folder))));
        await Task.WhenAll(stores.Select((store, i) => store.AddAsync(TestCredential.New($"c{i}"), default)));

        Assert.Equal(8, (await stores[0].ListAsync(null, default)).Count);
        foreach (var store in stores)
        {
            await store.DisposeAsync();
        }
    }

    [Fact]
    public void Open_FolderThatEverybodyMayWrite_IsRefused()
    {
        Directory.CreateDirectory(Folder);
        File.SetUnixFileMode(Folder, Owner | UnixFileMode.UserExecute | UnixFileMode.OtherWrite);

        AssertRefused($"{Folder}: state.folder can be written by every user. Run chmod o-w {Folder}.");
    }

    [Fact]
    public void Open_FileThatEverybodyMayWrite_IsRefused()
    {
        Make("");
        File.SetUnixFileMode(DatabaseFile, Owner | UnixFileMode.OtherWrite);

        AssertRefused($"{DatabaseFile}: the store can be written by every user. Run chmod 0600 {DatabaseFile}.");
    }

    [Fact]
    public void Open_FolderOfAGroup_IsAccepted()
    {
        // As Kubernetes makes volumes with fsGroup.
        Directory.CreateDirectory(Folder);
        File.SetUnixFileMode(
            Folder,
            Owner | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupWrite
                | UnixFileMode.GroupExecute);

        Assert.Null(SqliteFile.Check(DatabaseFile, 1));
    }

    [Fact]
    public void Open_FileInPlaceOfTheFolder_IsRefused()
    {
        _folder.Write("state", "");

        AssertRefused($"{Folder}: state.folder is a file. Name a folder, or move the file away.");
    }

    [Fact]
    public void Open_FolderThatCannotBeMade_IsRefused()
    {
        // /proc takes no folders, not even root's.
        var exception = Assert.Throws<ProblemException>(() => SqliteCredentialStore.Open("/proc/gateway/state"));

        Assert.Contains("/proc/gateway/state", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_FileReplacedWhileItIsOpen_IsRefused()
    {
        await using var store = SqliteCredentialStore.Open(Folder);
        await store.AddAsync(TestCredential.New("one"), default);

        File.Move(DatabaseFile, DatabaseFile + ".away");
        await Assert.ThrowsAnyAsync<StateException>(() => store.AddAsync(TestCredential.New("two"), default));
        File.Copy(DatabaseFile + ".away", DatabaseFile); // as one who restores a backup
        await Assert.ThrowsAnyAsync<StateException>(() => store.AddAsync(TestCredential.New("two"), default));
        var exception = await Assert.ThrowsAnyAsync<StateException>(() => store.ReadChangesAsync(0, default));

        Assert.Equal(
            $"{DatabaseFile}: the store was removed or replaced while the gateway was running. Put it back, or "
                + "restart the gateway.",
            exception.Message);
    }

    [Theory]
    [InlineData("-wal")]
    [InlineData("-shm")]
    public async Task Use_LogRemovedWhileItIsOpen_IsRefused(string ending)
    {
        await using var store = SqliteCredentialStore.Open(Folder);
        await store.AddAsync(TestCredential.New("one"), default);
        Assert.NotNull(await store.FindAsync("one", default));

        File.Move(DatabaseFile + ending, DatabaseFile + ending + ".away");
        var expected = $"{DatabaseFile}{ending}: the store's log was removed or replaced while the gateway was "
            + "running. Restart the gateway, check \"gateway token list\", and repeat the latest missing changes.";
        foreach (var use in new Func<Task>[]
        {
            () => store.ReadChangesAsync(0, default),
            () => store.FindAsync("one", default),
            () => store.RevokeAsync("one", TestCredential.Now, default),
        })
        {
            Assert.Equal(expected, (await Assert.ThrowsAnyAsync<StateException>(use)).Message);
        }

        File.Move(DatabaseFile + ending + ".away", DatabaseFile + ending);
        Assert.True(await store.RevokeAsync("one", TestCredential.Now, default));
    }

    [Fact]
    public async Task Open_FileThatThisProcessHasOpen_KeepsItsLocks()
    {
        await using var store = SqliteCredentialStore.Open(Folder);
        await store.AddAsync(TestCredential.New("one"), default);
        var before = LocksOf(DatabaseFile);
        Assert.NotEmpty(before);

        StateServiceExtensions.Check(new StateOptions { Folder = Folder });
        Assert.Equal(before, LocksOf(DatabaseFile));
        await using (var identities = SqliteIdentityStore.Open(Folder))
        {
            await identities.ListAsync(default);
        }

        SqliteSnapshot.Take(DatabaseFile, _folder.Write("copy", ""));
        Assert.Equal(before, LocksOf(DatabaseFile));
        Assert.True(File.Exists(DatabaseFile + "-wal"));
    }

    [Fact]
    public void Check_PathWithSignsOfAnAddress_ReadsThisFile()
    {
        var folder = Path.Combine(_folder.Path, "a?immutable=0#b%41 c");
        var file = Path.Combine(folder, SqliteDatabase.FileName);
        SqliteFile.Open(file, [.. SqliteSchema.Migrations, "CREATE TABLE later (x)"], out var session);
        session.Dispose();

        Assert.Contains("schema version", SqliteFile.Check(file, 1)!.ToString(), StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFiles(folder));
        Assert.Equal([folder], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Write_FullDatabase_FailsAllThatShareTheTransactionAndGoesOnAfterwards()
    {
        var file = SqliteFile.Open(DatabaseFile, SqliteSchema.Migrations, out var session);
        session.Execute("PRAGMA max_page_count=40"); // SQLite itself says "full" here
        await using var writer = new SqliteWriter(file, session);
        var written = 0;
        StateException? full = null;
        while (full is null)
        {
            try
            {
                await writer.RunAsync(
                    s => s.Execute(
                        "INSERT INTO changes (kind, key, at) VALUES ('revoked', $1, 1)", new string('x', 2000)),
                        default);
                written++;
            }
            catch (StateException exception)
            {
                full = exception;
            }
        }

        Assert.Equal(
            $"{DatabaseFile}: the store cannot be written: the disk is full. Free some space; nothing that the "
                + "gateway confirmed is lost.",
            full.Message);
        Assert.Equal(written, await writer.RunAsync(static s => s.Number("SELECT count(*) FROM changes"), default));
        await writer.RunAsync(static s => s.Execute("DELETE FROM changes"), default);
        await writer.RunAsync(
            static s => s.Execute("INSERT INTO changes (kind, key, at) VALUES ('revoked', 'y', 1)"), default);
    }

    [Fact]
    public async Task Write_AnotherProcessWrites_WaitsForIt()
    {
        await using var store = SqliteCredentialStore.Open(Folder);
        using var other = SqliteSession.Open(DatabaseFile, SqliteOpenMode.ReadWrite);
        other.Execute("BEGIN IMMEDIATE");

        var adding = store.AddAsync(TestCredential.New("one"), default);
        Assert.Null(await store.FindAsync("one", default)); // readers do not wait
        Assert.False(adding.IsCompleted);
        other.Execute("COMMIT");
        await adding;

        Assert.NotNull(await store.FindAsync("one", default));
    }

    [Fact]
    public async Task Find_DamagedDocument_IsRefused()
    {
        await using var store = SqliteCredentialStore.Open(Folder);
        await store.AddAsync(TestCredential.New("one"), default);
        using (var session = SqliteSession.Open(DatabaseFile, SqliteOpenMode.ReadWrite))
        {
            session.Execute("UPDATE credentials SET document = '{\"kind\":\"personal\"}'");
        }

        var exception = await Assert.ThrowsAnyAsync<StateException>(() => store.FindAsync("one", default));
        Assert.StartsWith(
            "The credential \"one\" in the store cannot be read: ", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_AfterDispose_IsRefused()
    {
        var store = SqliteCredentialStore.Open(Folder);
        var adding = store.AddAsync(TestCredential.New("one"), default);
        await store.DisposeAsync();
        await adding; // what was taken is still written

        await Assert.ThrowsAnyAsync<StateException>(() => store.AddAsync(TestCredential.New("two"), default));
        await Assert.ThrowsAnyAsync<StateException>(() => store.FindAsync("one", default));
        await using var again = SqliteCredentialStore.Open(Folder);
        Assert.NotNull(await again.FindAsync("one", default));
    }

    [Fact]
    public void Check_NothingThere_MakesNothing()
    {
        StateServiceExtensions.Check(new StateOptions { Folder = Folder });

        Assert.False(Directory.Exists(Folder));
    }

    [Fact]
    public async Task Check_GoodStore_LeavesItAsItIs()
    {
        await using (var store = SqliteCredentialStore.Open(Folder))
        {
            await store.AddAsync(TestCredential.New("one"), default);
        }

        var before = File.ReadAllBytes(DatabaseFile);
        StateServiceExtensions.Check(new StateOptions { Folder = Folder });

        Assert.Equal([DatabaseFile], Directory.GetFiles(Folder));
        Assert.Equal(before, File.ReadAllBytes(DatabaseFile));
    }

    // The kernel's own list: "1: POSIX  ADVISORY  READ 4711 fe:00:1234 1073741826 1073742335".
    private static string[] LocksOf(string file)
    {
        Assert.Equal(0, FileStatus.Read(file, out var status));
        var inode = $":{status.Inode} ";
        return [.. File.ReadLines("/proc/locks")
            .Where(
                line => line.Contains("POSIX", StringComparison.Ordinal)
                    && line.Contains(inode, StringComparison.Ordinal))
            .Select(static line => line[line.IndexOf(':', StringComparison.Ordinal)..])];
    }

    private void Make(string sql)
    {
        Directory.CreateDirectory(Folder);
        using var session = SqliteSession.Open(DatabaseFile, SqliteOpenMode.ReadWriteCreate);
        session.Execute(sql + "; PRAGMA page_count");
    }

    // A start and "config check" say the same.
    private void AssertRefused(string message)
    {
        Assert.Equal(message, Assert.Throws<ProblemException>(() => SqliteCredentialStore.Open(Folder)).Message);
        Assert.Equal(
            message,
            Assert.Throws<ProblemException>(
                () => StateServiceExtensions.Check(new StateOptions { Folder = Folder })).Message);
    }
}
