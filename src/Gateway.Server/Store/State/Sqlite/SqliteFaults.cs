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
            path, "the store cannot be written: the disk is full", null, "Make room on it; nothing that was answered is lost."),
        raw.SQLITE_READONLY => new Problem(
            path, "the store cannot be written: it or its folder is read-only", null,
            $"Let the gateway's user (\"{Environment.UserName}\") write both; the folder too, since SQLite keeps a file beside it."),
        raw.SQLITE_CANTOPEN or raw.SQLITE_PERM => new Problem(
            path, "the store cannot be opened", null,
            $"Let the gateway's user (\"{Environment.UserName}\") write it and its folder."),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new Problem(
            path, "the store is held by another process for more than 5 seconds", null, "See which one it is: fuser -v FILE."),
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
