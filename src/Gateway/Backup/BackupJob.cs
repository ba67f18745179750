#pragma warning disable CA1416 // the gateway runs on Linux
using System.Security.Cryptography;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;

namespace Gateway.Backup;

/// <summary>Creates one archive of a gateway, which may keep running.</summary>
internal sealed class BackupJob(GatewayOptions options, TimeProvider time)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes the archive; it appears complete and verified, or not at all.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="passphrase">The passphrase to encrypt it with; <see langword="null"/>: not encrypted.</param>
    /// <param name="mayReplace">Whether a file of that name may be replaced.</param>
    /// <param name="cancellationToken">Stops it, leaving nothing behind.</param>
    /// <exception cref="ProblemException">Why there is no archive.</exception>
    /// <exception cref="StateException">The data in Redis could not be read.</exception>
    public async Task<BackupReport> RunAsync(
        string path, string? passphrase, bool mayReplace, CancellationToken cancellationToken)
    {
        path = Path.GetFullPath(path);
        CheckTarget(path, mayReplace);
        var beside = Path.Combine(
            Path.GetDirectoryName(path)!,
            $".{Path.GetFileName(path)}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");
        string[] temporary = [
            beside + ".tmp", beside + ".db", beside + ".db-journal", beside + ".db-wal", beside + ".db-shm",
            beside + ".jsonl",
        ];
        try
        {
            var (snapshot, redis) = await ExportAsync(beside, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            var collection = BackupCollection.Collect(options, snapshot);
            List<ArchiveSource> sources = [.. collection.Sources];
            if (redis is not null)
            {
                sources.Add(new ArchiveSource(Describe(redis), null, redis));
            }

            var manifest = Describe(collection, redis is null ? null : sources[^1].Entry);
            using (var output = Create(beside + ".tmp"))
            {
                ArchiveWriter.Write(output, manifest, sources, passphrase, cancellationToken);
                output.Flush(flushToDisk: true);
            }

            // A file that cannot be read again is not a backup.
            new ArchiveReader(beside + ".tmp", passphrase).Read(static (_, _) => null, cancellationToken);
            var size = new FileInfo(beside + ".tmp").Length;
            File.Move(beside + ".tmp", path, overwrite: mayReplace);
            DurableFolder.Sync(Path.GetDirectoryName(path)!);
            return new BackupReport(
                manifest.Entries.Count,
                size,
                [.. manifest.Entries.Select(static entry => entry.Path).Where(ArchivePath.IsAbsolute)]);
        }
        catch (UnauthorizedAccessException)
        {
            throw new ProblemException(new Problem(
                path, "no permission to write the backup", null, "Name a folder that this account can write to."));
        }
        catch (IOException exception)
        {
            throw new ProblemException(File.Exists(path) && !mayReplace
                ? Exists(path)
                : new Problem(path, "the backup cannot be written",
                    exception.Message, "Check that the disk has space."));
        }
        finally
        {
            foreach (var file in temporary)
            {
                Delete(file);
            }
        }
    }

    // What the stores hold, each in a file of its own; null where the gateway has no such store.
    private async Task<(string? Snapshot, string? Redis)> ExportAsync(
        string beside, CancellationToken cancellationToken)
    {
        string? snapshot = null, redis = null;
        if (options.State.Store == StateStoreKind.Sqlite)
        {
            snapshot = beside + ".db";
            Create(snapshot).Dispose();
            SqliteSnapshot.Take(Path.Combine(options.State.Folder, SqliteDatabase.FileName), snapshot);
        }

        if (RedisBackup.IsNeeded(options))
        {
            redis = beside + ".jsonl";
            await using var output = Create(redis);
            await using var backup = new RedisBackup(options);
            await backup.ExportAsync(output, cancellationToken);
        }

        return (snapshot, redis);
    }

    private static void CheckTarget(string path, bool mayReplace)
    {
        if (Directory.Exists(path))
        {
            throw new ProblemException(new Problem(path, "this is a folder", null, "Name the file to write."));
        }

        if (!Directory.Exists(Path.GetDirectoryName(path)))
        {
            throw new ProblemException(new Problem(
                path, "no such folder", Path.GetDirectoryName(path), "Create it, or correct the path."));
        }

        if (File.Exists(path) && !mayReplace)
        {
            throw new ProblemException(Exists(path));
        }
    }

    private static Problem Exists(string path) =>
        new(path, "the file exists already", null, "Name another file, or give --force to replace it.");

    private static FileStream Create(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.Write,
        UnixCreateMode = OwnerOnly,
    });

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // the first failure is reported
        }
    }

    private static BackupEntry Describe(string file)
    {
        using var stream = File.OpenRead(file);
        return new BackupEntry
        {
            Path = RedisBackup.FileName,
            Setting = "redis",
            Size = stream.Length,
            Mode = BackupManifest.FormatMode(OwnerOnly),
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(stream)),
        };
    }

    private BackupManifest Describe(BackupCollection collection, BackupEntry? redis) => new()
    {
        Format = BackupManifest.CurrentFormat,
        CreatedAt = time.GetUtcNow(),
        Gateway = typeof(BackupJob).Assembly.GetName().Version?.ToString(3) ?? "",
        Configuration = collection.PathOf(options.File!),
        Store = options.State.Store == StateStoreKind.Sqlite ? "sqlite" : "redis",
        Keys = options.Tokens.Keys.Store == SigningKeyStoreKind.Folder ? "folder" : "redis",
        StateFolder = collection.PathOf(options.State.Folder),
        Folders = collection.Folders,
        Entries = [.. collection.Sources.Select(static source => source.Entry)],
        Redis = redis,
    };
}
