#pragma warning disable CA1416 // the gateway runs on Linux
using System.Runtime.InteropServices;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;
using Gateway.Server.Requests.Pipeline;
using Microsoft.Data.Sqlite;

namespace Gateway.Server.Store.State.Sqlite;

/// <summary>The store's file: made, checked, brought to this program's schema, and watched not to be swapped.</summary>
internal sealed partial class SqliteFile
{
    // What SQLite keeps beside it while it is open, https://www.sqlite.org/tempfiles.html: the log, and the index of
    // the log.
    private const string Log = "-wal";
    private const string Index = "-shm";
    private static readonly string[] Endings = ["", Log, Index];

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // Where SQLite has its locks (https://www.sqlite.org/fileformat.html, "lock-byte page"): a process that has the
    // file open in WAL mode holds one of them.
    private const long FirstLockByte = 0x40000000;
    private const int LockBytes = 512;

    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestOpening = TimeSpan.FromSeconds(3);

    private readonly string[] _paths;
    private readonly FileStatus[] _opened = new FileStatus[Endings.Length];

    private SqliteFile(string path)
    {
        Path = path;
        _paths = [.. Endings.Select(ending => path + ending)];
        for (var i = 0; i < _paths.Length; i++)
        {
            if (FileStatus.Read(_paths[i], out _opened[i]) != 0)
            {
                throw new IOException($"{_paths[i]} disappeared while it was being opened");
            }
        }
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>
    /// Opens the file for writing; makes it, and its folder, where they are missing; migrates an older one.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="migrations">
    /// What leads from version 0 to 1, from 1 to 2, and so on; several statements each.
    /// </param>
    /// <param name="session">The connection that writes.</param>
    /// <exception cref="ProblemException">It cannot be used; told with the fix.</exception>
    public static SqliteFile Open(string path, IReadOnlyList<string> migrations, out SqliteSession session)
    {
        SqliteSession? opened = null;
        try
        {
            Throw(CheckPlace(path) ?? CheckLog(path)); // the first is what "config check" says, in the same words
            Create(path);
            opened = SqliteSession.Open(path, SqliteOpenMode.ReadWrite);
            Migrate(opened, path, migrations);
            session = opened;
            return new SqliteFile(path);
        }
        catch (Exception exception)
        {
            opened?.Dispose();
            throw exception switch
            {
                SqliteException fault => new ProblemException(SqliteFaults.Describe(fault, path)),
                UnauthorizedAccessException => new ProblemException(new Problem(
                    path, "no permission to write the store", null,
                    $"Make the file and its folder writable for the gateway's user (\"{Environment.UserName}\").")),
                IOException => new ProblemException(new Problem(
                    path, "the store cannot be created or opened", exception.Message,
                    "Check state.folder, the disk or mount.")),
                _ => exception,
            };
        }
    }

    /// <summary>Looks at the file, where there is one, and at its folder. It makes nothing.</summary>
    /// <param name="path">The file.</param>
    /// <param name="version">The newest schema that is understood.</param>
    /// <returns>Why it cannot be used; none where it can, as far as that can be told without its log.</returns>
    public static Problem? Check(string path, int version) =>
        CheckPlace(path) ?? (File.Exists(path) ? CheckHeader(path, version) : null);

    /// <summary>Sees that the paths still lead to the files that are open.</summary>
    /// <exception cref="StateException">
    /// One was removed or replaced. What is written to the open ones would be gone at the next start, answered or not;
    /// and what another process writes to the new ones, such as a revocation, is not seen here.
    /// </exception>
    public void EnsureInPlace()
    {
        for (var i = 0; i < _paths.Length; i++)
        {
            if (FileStatus.Read(_paths[i], out var now) != 0 || !now.IsSameFile(_opened[i]))
            {
                throw new StateException(i == 0
                    ? $"{Path}: the store was removed or replaced while the gateway was running. "
                + "Put it back, or restart the gateway."
                    : $"{_paths[i]}: the store's log was removed or replaced while the gateway was running. "
                        + "Restart the gateway, check \"gateway token list\", and repeat the latest missing changes.");
            }
        }
    }

    /// <summary>
    /// Whether one of the paths leads to a file that is not the open one: another process has started afresh there.
    /// </summary>
    public bool IsReplaced
    {
        get
        {
            for (var i = 0; i < _paths.Length; i++)
            {
                if (FileStatus.Read(_paths[i], out var now) == 0 && !now.IsSameFile(_opened[i]))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>
    /// Whether a process has the store open. Not to be asked by one that has it open itself: see
    /// <see cref="FileLock.IsHeld"/>.
    /// </summary>
    public static bool IsInUse(string path) => File.Exists(path) && FileLock.IsHeld(path, FirstLockByte, LockBytes);

    // In use without a log: it was removed under a gateway. SQLite would begin another one that the gateway does not
    // read, and a command would say "Revoked" of what is not. A process that just opens or closes the store is seen so
    // for a moment only.
    private static Problem? CheckLog(string path)
    {
        for (var waited = TimeSpan.Zero; !File.Exists(path + Log) && IsInUse(path); waited += Glance)
        {
            if (waited >= LongestOpening)
            {
                return new Problem(
                    path + Log, "the store's log was removed while a gateway uses it", null,
                    "Restart that gateway, which saves what it still has of the log, and try again.");
            }

            Thread.Sleep(Glance);
        }

        return null;
    }

    private static Problem? CheckPlace(string path)
    {
        const int writable = 2 | 1; // W_OK | X_OK
        var folder = System.IO.Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
        {
            return File.Exists(folder)
                ? new Problem(folder, "state.folder is a file", null, "Name a folder, or move the file away.")
                : CheckParent(folder);
        }

        if (Access(folder, writable) != 0)
        {
            return new Problem(
                folder, "state.folder cannot be written", null,
                $"Make it writable for the gateway's user (\"{Environment.UserName}\") (chown), "
                    + "and not mounted read-only.");
        }

        // Anyone who can write to the folder can replace the store with a file of their own, with tokens of their
        // choice.
        if ((File.GetUnixFileMode(
            folder) & (UnixFileMode.OtherWrite | UnixFileMode.StickyBit)) == UnixFileMode.OtherWrite)
        {
            return new Problem(folder, "state.folder can be written by every user", null, $"Run chmod o-w {folder}.");
        }

        return Directory.Exists(path)
            ? new Problem(path, "there is a folder in place of the store", null, "Move it away.")
            : File.Exists(path) ? CheckAccess(path) : null;
    }

    private static Problem? CheckParent(string folder)
    {
        const int writable = 2 | 1;
        var parent = System.IO.Path.GetDirectoryName(folder);
        while (parent is not null && !Directory.Exists(parent))
        {
            parent = System.IO.Path.GetDirectoryName(parent);
        }

        return parent is null || Access(parent, writable) == 0
            ? null
            : new Problem(
                folder, "state.folder is missing and cannot be created", null,
                $"Create it, owned by the gateway's user (\"{Environment.UserName}\"), with mode 0700.");
    }

    private static Problem? CheckAccess(string path)
    {
        const int readable = 4 | 2; // R_OK | W_OK
        if (Access(path, readable) != 0)
        {
            return new Problem(
                path, "no permission to read and write the store", null,
                $"Make the gateway's user (\"{Environment.UserName}\") its owner, for example with chown.");
        }

        return (File.GetUnixFileMode(path) & UnixFileMode.OtherWrite) != 0
            ? new Problem(path, "the store can be written by every user", null, $"Run chmod 0600 {path}.")
            : null;
    }

    // By SQLite, never by a descriptor of our own: closing one drops the locks of a store that this process has open.
    // See SqliteDatabase.
    private static Problem? CheckHeader(string path, int version)
    {
        try
        {
            var (application, found) = SqliteSession.ReadHeader(path);
            return CheckVersion(path, application, found, version);
        }
        catch (SqliteException exception)
        {
            return SqliteFaults.Describe(exception, path);
        }
    }

    private static Problem? CheckVersion(string path, int application, int found, int version)
    {
        if (application != SqliteSchema.ApplicationId && (application != 0 || found != 0))
        {
            return ForeignDatabase(path);
        }

        return found <= version
            ? null
            : new Problem(
                path,
                FormattableString.Invariant(
                    $"the store has schema version {found}, but this gateway supports versions up to {version}"),
                null,
                "Run the newer gateway that wrote it, or restore the backup made before the upgrade.");
    }

    private static Problem ForeignDatabase(string path) => new(
        path, "the file is another program's database", null, "Move it away, or set state.folder to another folder.");

    private static void Create(string path)
    {
        var folder = System.IO.Path.GetDirectoryName(path)!;
        DurableFolder.Create(folder, OwnerOnly | UnixFileMode.UserExecute);
        if (File.Exists(path))
        {
            return;
        }

        // SQLite gives the files that it keeps beside the database the owner and mode of the database. CreateNew: one
        // that exists by now may be open in this process, and then no other descriptor of it may be closed.
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        };
        FileStream file;
        try
        {
            file = new FileStream(path, options);
        }
        catch (IOException) when (File.Exists(path))
        {
            return; // another process, or thread, was first
        }

        using var made = file;
        if (Environment.IsPrivilegedProcess && FileOwner.Read(folder) is { User: not 0 } owner)
        {
            owner.Give(file.SafeFileHandle); // root's "gateway token create" must not lock the gateway out
        }
    }

    private static void Migrate(SqliteSession session, string path, IReadOnlyList<string> migrations)
    {
        // Again, now through SQLite: what the log beside the file holds was not seen before. In one transaction, since
        // another process may be making the tables at this moment.
        session.Execute("BEGIN");
        var application = (int)session.Number("PRAGMA application_id");
        var version = (int)session.Number("PRAGMA user_version");
        var entries = session.Number("SELECT count(*) FROM sqlite_schema");
        session.Execute("COMMIT");
        Throw(CheckVersion(path, application, version, migrations.Count));
        if (application == 0 && entries > 0)
        {
            throw new ProblemException(ForeignDatabase(path));
        }

        var mode = session.Query("PRAGMA journal_mode=WAL", static row => row.GetString(0))[0];
        if (mode != "wal")
        {
            throw new ProblemException(new Problem(
                path, "SQLite cannot keep its log on this file system", mode,
                "Put state.folder on a local disk, or set state.store to redis."));
        }

        for (var next = version; next < migrations.Count; next++)
        {
            MigrateOnce(session, next, migrations[next]);
        }

        // The log is opened by the first reading in its mode, and kept: from here on the files beside the database are
        // ours to watch.
        session.Number("SELECT count(*) FROM sqlite_schema");
    }

    private static void MigrateOnce(SqliteSession session, int from, string migration)
    {
        session.Execute("BEGIN IMMEDIATE");
        try
        {
            // Another process may have done it while this one waited.
            if (session.Number("PRAGMA user_version") == from)
            {
                session.Execute(migration);
                session.Execute(FormattableString.Invariant($"PRAGMA application_id={SqliteSchema.ApplicationId}"));
                session.Execute(FormattableString.Invariant($"PRAGMA user_version={from + 1}"));
            }

            session.Execute("COMMIT");
        }
        catch
        {
            session.Execute("ROLLBACK");
            throw;
        }
    }

    private static void Throw(Problem? problem)
    {
        if (problem is not null)
        {
            throw new ProblemException(problem);
        }
    }

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}
