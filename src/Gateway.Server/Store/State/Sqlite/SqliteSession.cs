using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Gateway.Server.Store.State.Sqlite;

/// <summary>A connection with the statements that were prepared on it. For one thread at a time.</summary>
internal sealed class SqliteSession : IDisposable
{
    private const int BusySeconds = 5; // as long as another process, such as the command line's, may hold the file

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _commands = [];

    private SqliteSession(SqliteConnection connection) => _connection = connection;

    /// <exception cref="SqliteException">The file cannot be opened.</exception>
    public static SqliteSession Open(string path, SqliteOpenMode mode)
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
            var session = new SqliteSession(connection);
            session.Execute(FormattableString.Invariant($"PRAGMA busy_timeout={BusySeconds * 1000}"));
            session.Execute("PRAGMA synchronous=FULL"); // with WAL: the commit is on the disk before it returns
            session.Execute("PRAGMA trusted_schema=OFF"); // nothing in the file is a program
            session.Execute("PRAGMA secure_delete=ON"); // what is removed does not stay readable in the file
            return session;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Reads whose database a file is and its schema's version, without its log, and makes no file beside it.
    /// </summary>
    /// <exception cref="SqliteException">It cannot be opened, or is no database.</exception>
    public static (int Application, int Version) ReadHeader(string path)
    {
        // https://www.sqlite.org/uri.html: "immutable" takes no lock and looks for no log. The path is escaped, since a
        // "?" or "#" in it would end it.
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = $"file:{Uri.EscapeDataString(path)}?immutable=1",
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
        }.ToString());
        using var session = new SqliteSession(connection);
        connection.Open();
        return ((int)session.Number("PRAGMA application_id"), (int)session.Number("PRAGMA user_version"));
    }

    /// <summary>Runs a statement.</summary>
    /// <param name="sql">One statement; its parameters are <c>$1</c>, <c>$2</c>, …</param>
    /// <param name="values">Numbers, texts, bytes or <see langword="null"/>.</param>
    /// <returns>How many rows it changed.</returns>
    public int Execute(string sql, params ReadOnlySpan<object?> values) => Prepare(sql, values).ExecuteNonQuery();

    /// <summary>Reads the rows of a statement.</summary>
    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        using var reader = Prepare(sql, values).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    /// <summary>The number that a statement gives.</summary>
    public long Number(string sql) => Query(sql, static row => row.GetInt64(0))[0];

    /// <summary>Has the log stay as it is when this connection, the last one, is closed.</summary>
    public void KeepLog() =>
        _ = raw.sqlite3_db_config(_connection.Handle, raw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, out _);

    public void Dispose()
    {
        foreach (var command in _commands.Values)
        {
            command.Dispose();
        }

        _connection.Dispose();
    }

    private SqliteCommand Prepare(string sql, ReadOnlySpan<object?> values)
    {
        if (!_commands.TryGetValue(sql, out var command))
        {
            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 0; i < values.Length; i++)
            {
                command.Parameters.Add(
                    new SqliteParameter { ParameterName = FormattableString.Invariant($"${i + 1}") });
            }

            _commands.Add(sql, command);
        }

        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }

        return command;
    }
}
