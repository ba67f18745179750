using System.Collections.Concurrent;
using Gateway.Server.Requests.Pipeline;
using Microsoft.Data.Sqlite;

namespace Gateway.Server.Store.State.Sqlite;

/// <summary>
/// Connections that read, each with its prepared statements. They wait for no writer, nor a writer for them.
/// </summary>
internal sealed class SqliteReaders(SqliteFile file) : IDisposable
{
    private const int MaxIdle = 16;

    private readonly ConcurrentQueue<SqliteSession> _idle = [];
    private volatile bool _disposed;

    /// <summary>Runs statements that read.</summary>
    /// <exception cref="StateException">The file cannot be read, or is not the one that was opened.</exception>
    public T Run<T>(Func<SqliteSession, T> work)
    {
        try
        {
            if (_disposed)
            {
                throw new StateException($"{file.Path}: the store is closed: the gateway is stopping.");
            }

            // A replaced file may know of revocations that the open one does not; and a new connection must not share
            // the open log with one that is new. Costs three statx(2), some 2 us.
            file.EnsureInPlace();
            if (!_idle.TryDequeue(out var session))
            {
                session = SqliteSession.Open(file.Path, SqliteOpenMode.ReadOnly);
            }

            return Run(session, work);
        }
        catch (SqliteException exception)
        {
            throw new StateException(SqliteFaults.Describe(exception, file.Path).ToString(), exception);
        }
    }

    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryDequeue(out var session))
        {
            session.Dispose();
        }
    }

    private T Run<T>(SqliteSession session, Func<SqliteSession, T> work)
    {
        var keep = false;
        try
        {
            var result = work(session);
            keep = !_disposed && _idle.Count < MaxIdle;
            return result;
        }
        finally
        {
            if (keep)
            {
                _idle.Enqueue(session);
            }
            else
            {
                session.Dispose(); // one that failed is not used again
            }
        }
    }
}
