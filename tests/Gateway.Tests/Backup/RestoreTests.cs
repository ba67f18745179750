#pragma warning disable CA1416 // these tests run on Linux
using Gateway.Backup;
using Gateway.Core.Tokens;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Credentials;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Backup;

/// <summary>Both commands with files and SQLite.</summary>
public sealed class RestoreTests : IDisposable
{
    private readonly BackupFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Restore_OntoNothing_GivesEveryFileWithItsContentAndRights()
    {
        var secret = await _folder.FillAsync();
        var (code, output, error) = await _folder.BackupAsync();
        Assert.True(code == 0, error);
        Assert.Contains("not encrypted", output, StringComparison.Ordinal);
        Assert.Contains("holds secrets", error, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder.Archive));
        Assert.DoesNotContain(Directory.EnumerateFiles(_folder.Root), static file => Path.GetFileName(file)[0] == '.');

        var restored = await _folder.RestoreAsync();

        Assert.True(restored.Code == 0, restored.Error);
        var (before, after) =
            (BackupFolder.Listing(_folder.Folder).ToDictionary(), BackupFolder.Listing(_folder.Target).ToDictionary());
        string[] left = [
            "policies/notes.txt", "secrets/keys", "state/keys/.lock", "state/gateway.db-wal", "state/gateway.db-shm",
        ];
        foreach (var name in left.Concat(
            before.Keys.Where(static name => name.StartsWith("state/audit", StringComparison.Ordinal)).ToList()))
        {
            before.Remove(name);
            Assert.DoesNotContain(name, after);
        }

        // The store is a copy of its own, and the same rows.
        Assert.StartsWith("600", after["state/gateway.db"], StringComparison.Ordinal);
        before.Remove("state/gateway.db");
        after.Remove("state/gateway.db");
        Assert.Empty(before.Except(after));
        Assert.Empty(after.Except(before));
        Assert.StartsWith("600", after["certs/tls.key"], StringComparison.Ordinal);
        Assert.StartsWith("400", after["secrets/upstream"], StringComparison.Ordinal);
        Assert.Equal("700", after["state/keys"]);
        Assert.DoesNotContain(
            BackupFolder.UpstreamPassword, output + error + restored.Output + restored.Error, StringComparison.Ordinal);
        await using var store = SqliteCredentialStore.Open(Path.Combine(_folder.Target, "state"));
        Assert.NotNull(await store.FindAsync(SecretHash.Of(secret), CancellationToken.None));
        Assert.Equal(3, (await store.ListAsync(null, CancellationToken.None)).Count);
        Assert.Null(await store.FindAsync(
            SecretHash.Of(CredentialSecret.Create(CredentialSecretKind.Personal).Reveal()), CancellationToken.None));
    }

    [Fact]
    public async Task Restore_OntoAnEmptyFolder_AndWithAnotherName_Works()
    {
        await MakeAsync();
        Directory.CreateDirectory(_folder.Target);

        var (code, _, error) = await _folder.RestoreAsync("--config", "other.yaml");

        Assert.True(code == 0, error);
        Assert.True(File.Exists(Path.Combine(_folder.Target, "other.yaml")));
        Assert.False(File.Exists(Path.Combine(_folder.Target, "gateway.yaml")));
    }

    [Theory]
    [InlineData("state", false)]
    [InlineData("state", true)]
    [InlineData("{root}/var", false)]
    public async Task Restore_OfAnOlderBackup_LetsNobodyInWhoIsBlockedSince(string state, bool archiveHasBlocks)
    {
        using var folder = new BackupFolder(
            state: state.Replace(
                "{root}", Path.GetTempPath() + "gateway-var-" + Guid.NewGuid().ToString("N"),
                StringComparison.Ordinal));
        await folder.FillAsync();
        if (archiveHasBlocks)
        {
            await BlockAsync("block", "user:carol");
            await BlockAsync("block", "user:dora");
        }

        Assert.Equal(0, (await folder.BackupAsync()).Code);
        if (archiveHasBlocks)
        {
            await BlockAsync("unblock", "user:carol");
        }

        await BlockAsync("block", "user:bob");
        var at = new RestoreOrder
        {
            Archive = folder.Archive,
            Target = folder.Folder,
            MayReplace = true,
            AllowAbsolute = true,
        };
        Assert.Contains(
            "Would keep: user:bob is blocked, which the backup lacks", await RunAsync(at with { IsDryRun = true }));
        var said = await RunAsync(at);

        Assert.Contains("Keeping: user:bob is blocked, which the backup lacks", said);
        Assert.Equal(
            archiveHasBlocks, said.Contains("Keeping: user:carol is no longer blocked, which the backup lacks"));
        Assert.DoesNotContain(said, static line => line.Contains("dora", StringComparison.Ordinal));
        Assert.DoesNotContain(said, static line => line.Contains("it is not known here", StringComparison.Ordinal));

        // And a gateway that begins on it goes by that, and tells the store.
        var options = folder.Load();
        await using var store = SqliteCredentialStore.Open(options.State.Folder);
        Assert.DoesNotContain(
            (await store.ReadBlocksAsync("", default)).Blocks!, static one => one.Subject == "user:bob");
        using var feed = new RevocationFeed(
            store, TimeProvider.System, NullLogger<RevocationFeed>.Instance, new BlockFile(options.State.Folder));
        Assert.NotNull(feed.FindBlock(CredentialOwner.User("bob")));
        Assert.True(await feed.ReadAsync(default));
        Assert.NotNull(feed.FindBlock(CredentialOwner.User("bob")));
        Assert.Equal(archiveHasBlocks, feed.FindBlock(CredentialOwner.User("dora")) is not null);
        Assert.Null(feed.FindBlock(CredentialOwner.User("carol")));
        Assert.Contains((await store.ReadBlocksAsync("", default)).Blocks!, static one => one.Subject == "user:bob");
        Assert.Equal(
            "600", Convert.ToString((int)File.GetUnixFileMode(Path.Combine(options.State.Folder, "blocked.json")), 8));

        async Task BlockAsync(string command, string subject)
        {
            var (code, _, error) = await BackupFolder.RunAsync(
                "user", command, subject, "--config", folder.Configuration);
            Assert.True(code == 0, error);
        }

        static async Task<List<string>> RunAsync(RestoreOrder order)
        {
            var said = new List<string>();
            var job = new RestoreJob(order, TimeProvider.System, new Dictionary<string, string>(), said.Add);
            await job.RunAsync(default);
            return said;
        }
    }

    [Fact]
    public async Task Restore_WhereNothingTellsOfBlocks_SaysSo()
    {
        await _folder.FillAsync();
        Assert.Equal(0, (await BackupFolder.RunAsync("user", "block", "bob", "--config", _folder.Configuration)).Code);
        await _folder.BackupAsync();

        var (code, output, error) = await _folder.RestoreAsync();

        Assert.True(code == 0, error);
        Assert.Contains(
            $"{_folder.Target}/state/blocked.json does not exist, so it is not known here who was blocked or "
                + "unblocked after ",
            output,
            StringComparison.Ordinal);
        Assert.Equal(
            "user:bob", Assert.Single(new BlockFile(Path.Combine(_folder.Target, "state")).Read()!.All).Subject);
        await using var store = SqliteCredentialStore.Open(Path.Combine(_folder.Target, "state"));
        Assert.Equal("user:bob", Assert.Single((await store.ReadBlocksAsync("", default)).Blocks!).Subject);
    }

    [Fact]
    public async Task Restore_OverBlocksThatAreNotUnderstood_IsRefusedAndChangesNothing()
    {
        await MakeAsync();
        Directory.CreateDirectory(Path.Combine(_folder.Target, "state"));
        await File.WriteAllTextAsync(Path.Combine(_folder.Target, "state", "blocked.json"), "{");
        var before = BackupFolder.Listing(_folder.Root);

        var (code, _, error) = await _folder.RestoreAsync("--force");

        Assert.Equal(78, code);
        Assert.Contains("the list of blocked subjects cannot be read", error, StringComparison.Ordinal);
        Assert.Equal(before, BackupFolder.Listing(_folder.Root));
    }

    [Theory]
    [InlineData("users.htpasswd")]
    [InlineData("../gateway.yaml")]
    [InlineData("a/b.yaml")]
    public async Task Restore_WithANameThatCannotBe_IsRefused(string name)
    {
        await MakeAsync();

        var (code, _, error) = await _folder.RestoreAsync("--config", name);

        Assert.Equal(78, code);
        Assert.Contains("cannot be the configuration file's name", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.Target));
    }

    [Fact]
    public async Task Restore_DryRun_SaysEverythingAndChangesNothing()
    {
        await MakeAsync();
        Directory.CreateDirectory(_folder.Target);
        await File.WriteAllTextAsync(Path.Combine(_folder.Target, "mine"), "mine");
        var before = BackupFolder.Listing(_folder.Root);

        var (code, output, error) = await _folder.RestoreAsync("--dry-run", "--force");

        Assert.True(code == 0, error);
        Assert.Contains(
            $"Would restore: {_folder.Target}/gateway.yaml (0644, configuration)", output, StringComparison.Ordinal);
        Assert.Contains($"Would move aside: {_folder.Target} to", output, StringComparison.Ordinal);
        Assert.Equal(before, BackupFolder.Listing(_folder.Root));
    }

    [Fact]
    public async Task Restore_OntoWhatIsThere_IsRefused_AndWithForceItIsKeptAside()
    {
        await MakeAsync();
        Directory.CreateDirectory(_folder.Target);
        await File.WriteAllTextAsync(Path.Combine(_folder.Target, "mine"), "mine");
        var before = BackupFolder.Listing(_folder.Root);

        var (code, _, error) = await _folder.RestoreAsync();

        Assert.Equal(78, code);
        Assert.Contains("the folder is not empty", error, StringComparison.Ordinal);
        Assert.Equal(before, BackupFolder.Listing(_folder.Root));

        Assert.Equal(0, (await _folder.RestoreAsync("--force")).Code);
        var aside = Assert.Single(Directory.EnumerateDirectories(_folder.Root, "restored.before-restore-*"));
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(aside, "mine")));
        Assert.True(File.Exists(Path.Combine(_folder.Target, "gateway.yaml")));
        Assert.False(File.Exists(Path.Combine(_folder.Target, "mine")));
    }

    public static TheoryData<string, bool> Faults()
    {
        var data = new TheoryData<string, bool>();
        foreach (var step in Enum.GetNames<RestoreStep>().Except([nameof(RestoreStep.RedisSwitched)]))
        {
            data.Add(step, true);
            data.Add(step, false);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Restore_AFaultAtAnyStep_LeavesEverythingAsItWas(string step, bool isThere)
    {
        var elsewhere = new OutsideFile(_folder);
        await MakeAsync();
        File.Delete(elsewhere.Path);
        if (isThere)
        {
            Directory.CreateDirectory(_folder.Target);
            await File.WriteAllTextAsync(Path.Combine(_folder.Target, "mine"), "mine");
            await File.WriteAllTextAsync(elsewhere.Path, "mine as well");
        }

        var before = BackupFolder.Listing(_folder.Root);
        var reached = Enum.Parse<RestoreStep>(step);

        await Assert.ThrowsAnyAsync<Exception>(() => _folder.RestoreWithAsync(
            at =>
            {
                if (at == reached)
                {
                    throw new IOException("the disk is gone");
                }
            },
            force: true,
            absolute: true).WaitAsync(TimeSpan.FromMinutes(1)));

        Assert.Equal(before, BackupFolder.Listing(_folder.Root));
    }

    [Fact]
    public async Task Restore_WhereNobodyMayWrite_IsRefusedAndChangesNothing()
    {
        await MakeAsync();
        var parent = Directory.CreateDirectory(Path.Combine(_folder.Root, "locked")).FullName;
        File.SetUnixFileMode(parent, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        if (Environment.IsPrivilegedProcess)
        {
            return; // root may write everywhere
        }

        var (code, _, error) = await BackupFolder.RunAsync(
            "restore", _folder.Archive, "--to", Path.Combine(parent, "gateway"));

        Assert.Equal(78, code);
        Assert.Contains("nothing was changed", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(parent));
    }

    [Fact]
    public async Task Restore_OntoALinkOrAFileOrNowhere_IsRefused()
    {
        await MakeAsync();
        Directory.CreateSymbolicLink(_folder.Target, _folder.Folder);
        Assert.Contains("symbolic link", (await _folder.RestoreAsync("--force")).Error, StringComparison.Ordinal);
        Directory.Delete(_folder.Target);
        await File.WriteAllTextAsync(_folder.Target, "");
        Assert.Contains(
            "is a file, not a folder", (await _folder.RestoreAsync("--force")).Error, StringComparison.Ordinal);
        var (code, _, error) = await BackupFolder.RunAsync(
            "restore", _folder.Archive, "--to", Path.Combine(_folder.Root, "no", "such"));
        Assert.Equal(78, code);
        Assert.Contains("the folder around it does not exist", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_WhileTheTargetsStoreIsOpen_IsRefusedEvenWithForce()
    {
        await MakeAsync();
        Assert.Equal(0, (await _folder.RestoreAsync()).Code);

        await using (var store = SqliteCredentialStore.Open(Path.Combine(_folder.Target, "state")))
        {
            await store.ReadChangesAsync(0, CancellationToken.None); // as a gateway does all the time
            var (code, _, error) = await _folder.RestoreAsync("--force");
            Assert.Equal(78, code);
            Assert.Contains("has the store open", error, StringComparison.Ordinal);
        }

        Assert.Equal(0, (await _folder.RestoreAsync("--force")).Code);
    }

    [Fact]
    public async Task Outside_Files_AreRestoredWithAbsoluteOnly()
    {
        var elsewhere = new OutsideFile(_folder);
        var (code, _, error) = await MakeAsync();
        Assert.Equal(0, code);
        Assert.Contains(elsewhere.Path, error, StringComparison.Ordinal);
        File.Delete(elsewhere.Path);
        Directory.Delete(Path.GetDirectoryName(elsewhere.Path)!);

        var refused = await _folder.RestoreAsync();
        Assert.Equal(78, refused.Code);
        Assert.Contains(
            $"{elsewhere.Path}: redis.certificateAuthority: this file is outside", refused.Error,
            StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.Target));

        var restored = await _folder.RestoreAsync("--absolute");
        Assert.True(restored.Code == 0, restored.Error);
        Assert.Equal("outside", await File.ReadAllTextAsync(elsewhere.Path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(elsewhere.Path));
    }

    [Fact]
    public async Task Outside_AFileThatIsThere_IsLeftWhereEqual_AndElseMovedAsideWithForce()
    {
        var elsewhere = new OutsideFile(_folder);
        await MakeAsync();
        Assert.Equal(0, (await _folder.RestoreAsync("--absolute")).Code);
        Directory.Delete(_folder.Target, recursive: true);
        await File.WriteAllTextAsync(elsewhere.Path, "newer");

        var refused = await _folder.RestoreAsync("--absolute");
        Assert.Equal(78, refused.Code);
        Assert.Contains("another file exists there already", refused.Error, StringComparison.Ordinal);
        Assert.Equal("newer", await File.ReadAllTextAsync(elsewhere.Path));

        Assert.Equal(0, (await _folder.RestoreAsync("--absolute", "--force")).Code);
        Assert.Equal("outside", await File.ReadAllTextAsync(elsewhere.Path));
        Assert.Equal("newer", await File.ReadAllTextAsync(Assert.Single(
            Directory.EnumerateFiles(Path.GetDirectoryName(elsewhere.Path)!, "*.before-restore-*"))));
    }

    [Fact]
    public async Task Backup_OntoAFileThatIsThere_IsRefusedUnlessForced()
    {
        await _folder.FillAsync();
        await File.WriteAllTextAsync(_folder.Archive, "mine");

        var (code, _, error) = await _folder.BackupAsync();
        Assert.Equal(78, code);
        Assert.Contains("the file exists already", error, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(_folder.Archive));

        Assert.Equal(0, (await _folder.BackupAsync("--force")).Code);
        Assert.Equal(0, (await _folder.RestoreAsync()).Code);
    }

    [Theory]
    [InlineData("state/gateway.db", "there is no store here")]
    [InlineData("certs/tls.key", "tls.certificates[0].key: it cannot be backed up")]
    [InlineData("users.htpasswd", "authentication.htpasswd.file: it cannot be backed up")]
    [InlineData("state/keys", "tokens.keys.folder: it cannot be backed up")]
    [InlineData("policies", "policies: it cannot be backed up")]
    public async Task Backup_WithoutSomethingThatBelongsToIt_IsRefusedAndLeavesNothing(string missing, string message)
    {
        await _folder.FillAsync();
        var path = Path.Combine(_folder.Folder, missing);
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }

        var (code, _, error) = await _folder.BackupAsync();

        Assert.Equal(78, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Equal(["etc"], Directory.EnumerateFileSystemEntries(_folder.Root).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Backup_OfADamagedStore_IsRefused()
    {
        await _folder.FillAsync(tokens: 400);
        var file = Path.Combine(_folder.State, "gateway.db");
        var bytes = await File.ReadAllBytesAsync(file);
        Random.Shared.NextBytes(bytes.AsSpan(bytes.Length / 2, 8192));
        await File.WriteAllBytesAsync(file, bytes);

        var (code, _, error) = await _folder.BackupAsync();

        Assert.Equal(78, code);
        Assert.Contains("damaged", error, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.Archive));
    }

    [Theory]
    [InlineData("short", "is shorter than 12 characters")]
    [InlineData("", "the file is empty")]
    public async Task Backup_WithAPassphraseThatIsNone_IsRefused(string text, string message)
    {
        await _folder.FillAsync();
        var file = Path.Combine(_folder.Root, "etc", "passphrase");
        await File.WriteAllTextAsync(file, text);

        var (code, _, error) = await _folder.BackupAsync("--passphrase-file", file);

        Assert.Equal(78, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.Archive));
    }

    [Fact]
    public async Task EnvironmentVariables_AreNamedButNotTheirValues()
    {
        const string name = "GATEWAY__Log__Level";
        await _folder.FillAsync();
        Environment.SetEnvironmentVariable(name, "warning");
        try
        {
            var (code, _, error) = await _folder.BackupAsync();
            Assert.Equal(0, code);
            Assert.Contains($"{name}. They are not in the backup", error, StringComparison.Ordinal);
            Assert.Contains(name, (await _folder.RestoreAsync()).Error, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(name, null);
        }

        Assert.DoesNotContain(name, (await _folder.BackupAsync("--force")).Error, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output, string Error)> MakeAsync()
    {
        await _folder.FillAsync();
        var made = await _folder.BackupAsync();
        Assert.True(made.Code == 0, made.Error);
        return made;
    }

    /// <summary>A file that the configuration names by an absolute path.</summary>
    private sealed class OutsideFile
    {
        public OutsideFile(BackupFolder folder)
        {
            Path = System.IO.Path.Combine(folder.Root, "outside", "ca.crt");
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
            File.WriteAllText(Path, "outside");
            File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.AppendAllText(
                folder.Configuration,
                $"\nredis: {{ server: \"127.0.0.1:1\", tls: true, certificateAuthority: \"{Path}\" }}\n");
        }

        public string Path { get; }
    }
}
