using Gateway.Foundation.Configuration;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Gateway.Server.Store.State.Sqlite;

/// <summary>What SQLite's result codes mean to an operator.</summary>
internal static class SqliteFaults
{
    /// <summary>The problem behind an exception.</summary>
    public static Problem Describe(SqliteException exception, string path) => exception.SqliteErrorCode switch
    {
        raw.SQLITE_FULL => new Problem(
            path, "the store cannot be written: the disk is full", null,
            "Free some space; nothing that the gateway confirmed is lost."),
        raw.SQLITE_READONLY => new Problem(
            path, "the store cannot be written: it or its folder is read-only", null,
            $"Make both writable for the gateway's user (\"{Environment.UserName}\"); "
                + "SQLite keeps a file next to the store."),
        raw.SQLITE_CANTOPEN or raw.SQLITE_PERM => new Problem(
            path, "the store cannot be opened", null,
            $"Make it and its folder writable for the gateway's user (\"{Environment.UserName}\")."),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new Problem(
            path, "another process has locked the store for more than 5 seconds", null,
            "Find that process: fuser -v FILE."),
        raw.SQLITE_NOTADB => NotADatabase(path),
        raw.SQLITE_CORRUPT => new Problem(
            path, "the store is damaged", exception.Message,
            "Stop the gateway, move the file away and restore a backup; see docs/state.md."),
        raw.SQLITE_IOERR => new Problem(
            path, "the store cannot be read or written", exception.Message, "Check the disk or mount."),
        _ => new Problem(path, "the store failed", exception.Message, "See docs/state.md."),
    };

    /// <summary>The problem of a file that is something else.</summary>
    public static Problem NotADatabase(string path) => new(
        path, "the file is not an SQLite database", null, "Move it away, or set state.folder to another folder.");
}
