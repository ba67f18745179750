using System.Threading.Channels;
using Gateway.Server.Requests.Pipeline;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Gateway.Server.Store.State.Sqlite;

/// <summary>
/// The one that writes. Operations that wait at the same time share a transaction, and so a flush of the disk.
/// </summary>
/// <remarks>An operation is answered after the commit returned, and so after the disk has it.</remarks>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private const int MaxWaiting = 1024;
    private const int MaxBatch = 256;

    private readonly Channel<Operation> _waiting = Channel.CreateBounded<Operation>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true });

    private readonly SqliteFile _file;
    private readonly SqliteSession _session;
    private readonly Task _loop;

    /// <param name="file">Asked before every transaction whether it is still in place.</param>
    /// <param name="session">The writer's own from now on.</param>
    public SqliteWriter(SqliteFile file, SqliteSession session)
    {
        _file = file;
        _session = session;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Runs statements in a transaction.</summary>
    /// <param name="work">
    /// Run once on the writer's thread. Where one of its statements violates a constraint, it must be its first.
    /// </param>
    /// <param name="cancellationToken">Ends the waiting; the work may be done all the same.</param>
    /// <exception cref="StateException">It was not written.</exception>
    public async Task<T> RunAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken)
    {
        var operation = new Operation<T>(work, cancellationToken);
        try
        {
            await _waiting.Writer.WriteAsync(operation, cancellationToken);
        }
        catch (ChannelClosedException exception)
        {
            throw new StateException($"{_file.Path}: the store is closed: the gateway is stopping.", exception);
        }

        return await operation.Answer.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _loop; // what waits is still written
        if (_file.IsReplaced)
        {
            // The last one to close empties the log into the file and removes it, by its name: that would be another
            // process's log with what that one answered, such as a revocation.
            _session.KeepLog();
        }

        _session.Dispose();
    }

    private async Task RunAsync()
    {
        var batch = new List<Operation>(MaxBatch);
        while (await _waiting.Reader.WaitToReadAsync())
        {
            while (batch.Count < MaxBatch && _waiting.Reader.TryRead(out var operation))
            {
                batch.Add(operation);
            }

            Commit(batch);
            batch.Clear();
        }
    }

    private void Commit(List<Operation> batch)
    {
        try
        {
            _file.EnsureInPlace();
            _session.Execute("BEGIN IMMEDIATE");
            foreach (var operation in batch)
            {
                operation.Run(_session);
            }

            _session.Execute("COMMIT");
        }
        catch (Exception exception)
        {
            Rollback();
            var fault = exception switch
            {
                StateException state => state,
                SqliteException sqlite =>
                    new StateException(SqliteFaults.Describe(sqlite, _file.Path).ToString(), sqlite),
                _ => new StateException($"{_file.Path}: the store failed: {exception.Message}", exception),
            };
            batch.ForEach(operation => operation.Fail(fault));
            return;
        }

        batch.ForEach(static operation => operation.Succeed());
    }

    private void Rollback()
    {
        try
        {
            _session.Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // There is no transaction: it did not begin, or SQLite ended it, as it does on a full disk.
        }
    }

    private abstract class Operation
    {
        public abstract void Run(SqliteSession session);

        public abstract void Succeed();

        public abstract void Fail(StateException fault);
    }

    private sealed class Operation<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken) : Operation
    {
        // Asynchronously: those who wait must not run on the writer's thread.
        private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private StateException? _refused;

        public Task<T> Answer => _answer.Task;

        public override void Run(SqliteSession session)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                return; // nobody waits for it
            }

            try
            {
                _result = work(session);
            }
            catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_CONSTRAINT)
            {
                // SQLite has undone this statement alone; the others' operations go on.
                _refused = new StateException("A credential with this id or secret already exists.", exception);
            }
        }

        public override void Succeed()
        {
            if (cancellationToken.IsCancellationRequested)
            {
                _answer.TrySetCanceled(cancellationToken);
            }
            else if (_refused is not null)
            {
                _answer.TrySetException(_refused);
            }
            else
            {
                _answer.TrySetResult(_result!);
            }
        }

        public override void Fail(StateException fault) => _answer.TrySetException(fault);
    }
}
