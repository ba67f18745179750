using Gateway.Foundation.Configuration;
using Gateway.Server.Store.State.Sqlite;
using Microsoft.Data.Sqlite;

namespace Gateway.Backup;

/// <summary>A copy of the store's file at one moment, even while a gateway writes to it.</summary>
internal static class SqliteSnapshot
{
    private const int BusySeconds = 30;

    /// <summary>
    /// Copies with SQLite's online backup in one step, so that the copy is consistent and nobody waits for it.
    /// </summary>
    /// <param name="source">The store.</param>
    /// <param name="target">An empty file, whose rights the copy keeps.</param>
    /// <exception cref="ProblemException">The store is missing, damaged, or cannot be read.</exception>
    public static void Take(string source, string target)
    {
        if (!File.Exists(source))
        {
            throw new ProblemException(new Problem(
                source, "there is no store here", null,
                "Name the running gateway's configuration, and set the GATEWAY__ variables that it has, if any."));
        }

        try
        {
            using var from = Open(source, SqliteOpenMode.ReadOnly);
            using var to = Open(target, SqliteOpenMode.ReadWrite);
            from.BackupDatabase(to);
            _ = Text(to, "PRAGMA journal_mode=DELETE"); // one file, without others beside it
            var found = Text(to, "PRAGMA integrity_check");
            if (found != "ok")
            {
                throw new ProblemException(new Problem(
                    source, "the store is damaged, so it cannot be backed up", found.Split('\n')[0],
                    "Restore an older backup, or see docs/state.md."));
            }
        }
        catch (SqliteException exception)
        {
            throw new ProblemException(SqliteFaults.Describe(exception, source));
        }
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            Pooling = false,
            DefaultTimeout = BusySeconds,
        }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static string Text(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (string)command.ExecuteScalar()!;
    }
}
