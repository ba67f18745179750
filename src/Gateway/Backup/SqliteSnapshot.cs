using Gateway.Foundation.Configuration;
using Gateway.Server.Store.State.Sqlite;
using Microsoft.Data.Sqlite;

namespace Gateway.Backup;

/// <summary>A copy of the store's file as it is at one moment, also while a gateway writes it.</summary>
internal static class SqliteSnapshot
{
    private const int BusySeconds = 30;

    /// <summary>Copies by SQLite's own online backup, in one step: all of it is one moment, and nobody waits for it.</summary>
    /// <param name="source">The store.</param>
    /// <param name="target">An empty file, whose rights are those of the copy.</param>
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
            _ = Text(to, "PRAGMA journal_mode=DELETE"); // one file, and none beside it
            var found = Text(to, "PRAGMA integrity_check");
            if (found != "ok")
            {
                throw new ProblemException(new Problem(
                    source, "the store is damaged, so there is no backup of it", found.Split('\n')[0],
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
