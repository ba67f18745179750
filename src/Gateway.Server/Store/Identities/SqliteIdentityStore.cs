using Gateway.Foundation.Configuration;
using Gateway.Server.Store.State.Sqlite;
using Microsoft.Data.Sqlite;

namespace Gateway.Server.Store.Identities;

/// <summary>Identities in the file of the credentials.</summary>
internal sealed class SqliteIdentityStore : IIdentityStore
{
    private const string Columns = "SELECT document, version FROM identities ";

    private readonly SqliteDatabase _database;
    private readonly SqliteWriter _writer;
    private readonly SqliteReaders _readers;
    private readonly bool _ownsDatabase;

    /// <param name="database">Where they are.</param>
    /// <param name="ownsDatabase">Whether it is closed with this store.</param>
    public SqliteIdentityStore(SqliteDatabase database, bool ownsDatabase = false)
    {
        _database = database;
        _writer = database.Writer;
        _readers = database.Readers;
        _ownsDatabase = ownsDatabase;
    }

    /// <summary>Opens the file in a folder, or makes both, for this store alone.</summary>
    /// <exception cref="ProblemException">It cannot be used; told with the fix.</exception>
    public static SqliteIdentityStore Open(string folder) => new(SqliteDatabase.Open(folder), ownsDatabase: true);

    /// <inheritdoc/>
    public Task<StoredIdentity?> FindAsync(string method, string name, CancellationToken cancellationToken) =>
        Task.FromResult(_readers.Run(session =>
            session.Query(Columns + "WHERE method = $1 AND name = $2", Read, method, name).SingleOrDefault()));

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredIdentity>> ListAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<StoredIdentity>>(
            _readers.Run(static session => session.Query(Columns + "ORDER BY method, name", Read)));

    /// <inheritdoc/>
    public async Task<StoredIdentity?> WriteAsync(StoredIdentity identity, CancellationToken cancellationToken)
    {
        var next = identity with { Version = identity.NextVersion() };
        var isWritten = await _writer.RunAsync(
            session => session.Execute(
                """
                INSERT INTO identities (method, name, document, version) SELECT $1, $2, $3, $4
                WHERE $5 = coalesce((SELECT version FROM identities WHERE method = $1 AND name = $2), 0)
                ON CONFLICT (method, name) DO UPDATE SET document = $3, version = $4
                """,
                next.Method,
                next.Name,
                next.Write(),
                next.Version,
                identity.Version) > 0,
            cancellationToken);
        return isWritten ? next : null;
    }

    /// <inheritdoc/>
    public Task<bool> RemoveAsync(string method, string name, CancellationToken cancellationToken) =>
        _writer.RunAsync(
            session => session.Execute("DELETE FROM identities WHERE method = $1 AND name = $2", method, name) > 0,
            cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _ownsDatabase ? _database.DisposeAsync() : ValueTask.CompletedTask;

    private static StoredIdentity Read(SqliteDataReader row) => StoredIdentity.Read(row.GetString(0), row.GetInt64(1));
}
