using Gateway.Foundation.Configuration;

namespace Gateway.Server.Store.State.Sqlite;

/// <summary>
/// The store's file as this process has it open: what writes it and what reads it, for all stores that keep something
/// there.
/// </summary>
/// <remarks>
/// One for each process. POSIX locks belong to a process and a file, not to a descriptor: closing <em>any</em>
/// descriptor of the file drops all of them (fcntl(2), "Record locks"), and another process then takes itself for the
/// last one and deletes the log. SQLite sees to this among its own connections (os_unix.c, "Posix Advisory Locking");
/// so nothing but SQLite may open the file, its <c>-wal</c> or its <c>-shm</c> while it is open here. Looking at them
/// with statx(2) opens nothing.
/// </remarks>
internal sealed class SqliteDatabase : IAsyncDisposable
{
    /// <summary>The file's name in the state folder.</summary>
    public const string FileName = "gateway.db";

    private SqliteDatabase(SqliteFile file, SqliteSession session)
    {
        File = file;
        Writer = new SqliteWriter(file, session);
        Readers = new SqliteReaders(file);
    }

    /// <summary>The file, and whether it is still the one that was opened.</summary>
    public SqliteFile File { get; }

    /// <summary>The one that writes.</summary>
    public SqliteWriter Writer { get; }

    /// <summary>Those that read.</summary>
    public SqliteReaders Readers { get; }

    /// <summary>Opens the file in a folder, or makes both.</summary>
    /// <exception cref="ProblemException">It cannot be used; told with the fix.</exception>
    public static SqliteDatabase Open(string folder)
    {
        var file = SqliteFile.Open(Path.Combine(folder, FileName), SqliteSchema.Migrations, out var session);
        return new SqliteDatabase(file, session);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Readers.Dispose();
        await Writer.DisposeAsync(); // last: the connection that closes last empties the log into the file
    }
}
