using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.State.Sqlite;
using Microsoft.Data.Sqlite;

namespace Gateway.Server.Store.State;

/// <summary>
/// Credentials in one file of this machine. Other processes, such as the command line's, may use it too.
/// </summary>
internal sealed class SqliteCredentialStore : ICredentialStore
{
    private const int PageSize = 1000;

    private const string Columns =
        "SELECT id, document, hash, created_at, expires_at, revoked_at, last_used_at, last_used_from, identity, "
            + "kept_until FROM credentials ";

    private const string Newest = "ORDER BY created_at DESC, sequence DESC";

    private readonly SqliteDatabase _database;
    private readonly SqliteWriter _writer;
    private readonly SqliteReaders _readers;
    private readonly bool _ownsDatabase;

    /// <param name="database">Where they are.</param>
    /// <param name="ownsDatabase">Whether it is closed with this store.</param>
    public SqliteCredentialStore(SqliteDatabase database, bool ownsDatabase = false)
    {
        _database = database;
        _writer = database.Writer;
        _readers = database.Readers;
        _ownsDatabase = ownsDatabase;
    }

    /// <inheritdoc/>
    /// <remarks>Only of this process's own changes: a file tells nobody.</remarks>
    public event Action? Changed;

    /// <summary>Opens the file in a folder, or makes both, for this store alone.</summary>
    /// <exception cref="ProblemException">It cannot be used; told with the fix.</exception>
    public static SqliteCredentialStore Open(string folder) => new(SqliteDatabase.Open(folder), ownsDatabase: true);

    /// <inheritdoc/>
    public Task AddAsync(StoredCredential credential, CancellationToken cancellationToken)
    {
        var document = CredentialDocument.Write(credential);
        return _writer.RunAsync(
            session => session.Execute(
                """
                INSERT INTO credentials (
                    id, hash, owner, document, created_at, expires_at, revoked_at, last_used_at, last_used_from,
                    identity, kept_until)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                """,
                credential.Id,
                credential.Hash.ToBytes(),
                credential.Owner.ToString(),
                document,
                credential.CreatedAt.UtcTicks,
                credential.ExpiresAt.UtcTicks,
                credential.RevokedAt?.UtcTicks,
                credential.LastUsedAt?.UtcTicks,
                credential.LastUsedFrom?.ToString(),
                credential.Identity?.ToBytes(),
                credential.KeptUntil?.UtcTicks),
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<StoredCredential?> FindAsync(SecretHash hash, CancellationToken cancellationToken) =>
        Task.FromResult(_readers.Run(session =>
            session.Query(Columns + "WHERE hash = $1", Read, hash.ToBytes()).SingleOrDefault()));

    /// <inheritdoc/>
    public Task<StoredCredential?> FindAsync(string id, CancellationToken cancellationToken) =>
        Task.FromResult(_readers.Run(session => session.Query(Columns + "WHERE id = $1", Read, id).SingleOrDefault()));

    /// <inheritdoc/>
    public Task<StoredCredential?> FindByIdentityAsync(SecretHash identity, CancellationToken cancellationToken) =>
        Task.FromResult(_readers.Run(session =>
            session.Query(Columns + "WHERE identity = $1", Read, identity.ToBytes()).SingleOrDefault()));

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredCredential>> ListAsync(Subject? owner, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<StoredCredential>>(_readers.Run(session => owner is null
            ? session.Query(Columns + Newest, Read)
            : session.Query(Columns + "WHERE owner = $1 " + Newest, Read, owner.ToString())));

    /// <inheritdoc/>
    public async Task<bool> RevokeAsync(string id, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var revoked = await _writer.RunAsync(
            session =>
            {
                var count = session.Execute(
                    "UPDATE credentials SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", id, at.UtcTicks);
                return count > 0 && Announce(session, CredentialChangeKind.Revoked, id, at);
            },
            cancellationToken);
        return Told(revoked);
    }

    /// <inheritdoc/>
    public async Task<int> RevokeAllAsync(Subject owner, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var count = await _writer.RunAsync(
            session =>
            {
                var ids = session.Query(
                    "UPDATE credentials SET revoked_at = $2 WHERE owner = $1 AND revoked_at IS NULL RETURNING id",
                    static row => row.GetString(0),
                    owner.ToString(),
                    at.UtcTicks);
                foreach (var id in ids)
                {
                    Announce(session, CredentialChangeKind.Revoked, id, at);
                }

                Announce(session, CredentialChangeKind.SubjectRevoked, owner.ToString(), at);
                return ids.Count;
            },
            cancellationToken);
        Told(true);
        return count;
    }

    /// <inheritdoc/>
    public async Task<bool> ShortenAsync(string id, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        var shortened = await _writer.RunAsync(
            session =>
            {
                var count = session.Execute(
                    "UPDATE credentials SET expires_at = $2 WHERE id = $1 AND expires_at > $2 AND revoked_at IS NULL",
                    id,
                    expiresAt.UtcTicks);
                return count > 0 && Announce(session, CredentialChangeKind.Shortened, id, expiresAt);
            },
            cancellationToken);
        return Told(shortened);
    }

    /// <inheritdoc/>
    public Task RecordUsesAsync(IReadOnlyCollection<CredentialUse> uses, CancellationToken cancellationToken) =>
        _writer.RunAsync(
            session =>
            {
                foreach (var use in uses)
                {
                    session.Execute(
                        """
                        UPDATE credentials SET last_used_at = $2, last_used_from = $3
                        WHERE id = $1 AND coalesce(last_used_at, 0) <= $2
                        """,
                        use.Id,
                        use.At.UtcTicks,
                        use.Address.ToString());
                }

                return uses.Count;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<ChangePage> ReadChangesAsync(long position, CancellationToken cancellationToken)
    {
        var changes = _readers.Run(session => session.Query(
            FormattableString.Invariant(
                $"SELECT position, kind, key, at FROM changes WHERE position > $1 ORDER BY position LIMIT {PageSize}"),
            static row => (
                Position: row.GetInt64(0),
                Change: new CredentialChange(ParseKind(row.GetString(1)), row.GetString(2), Instant(row.GetInt64(3)))),
            position));
        return Task.FromResult(new ChangePage(
            changes.Count > 0 ? changes[^1].Position : position, [.. changes.Select(static entry => entry.Change)]));
    }

    /// <inheritdoc/>
    public Task<BlockPage> ReadBlocksAsync(string version, CancellationToken cancellationToken) =>
        Task.FromResult(_readers.Run(session =>
        {
            // The number first: a change in between is read again.
            var current = session.Query(
                "SELECT coalesce(max(sequence), 0) || ':' || count(*) FROM blocks", static row => row.GetString(0))[0];
            return new BlockPage(current, current == version ? null : session.Query(
                "SELECT document FROM blocks", static row => SubjectBlock.Read(row.GetString(0))));
        }));

    /// <inheritdoc/>
    public async Task<bool> WriteBlockAsync(SubjectBlock block, CancellationToken cancellationToken)
    {
        var document = block.Write();
        return Told(await _writer.RunAsync(
            session => session.Execute(
                """
                INSERT OR REPLACE INTO blocks (subject, document, changed_at) SELECT $1, $2, $3
                WHERE NOT EXISTS (SELECT 1 FROM blocks WHERE subject = $1 AND (changed_at >= $3 OR changed_at > $4))
                """,
                block.Subject,
                document,
                block.ChangedAt.UtcTicks,
                (block.Replaces ?? block.ChangedAt).UtcTicks) > 0,
            cancellationToken));
    }

    /// <inheritdoc/>
    public Task<int> PruneAsync(DateTimeOffset before, CancellationToken cancellationToken) => _writer.RunAsync(
        session =>
        {
            session.Execute("DELETE FROM changes WHERE at < $1", before.UtcTicks);
            return session.Execute(
                $"DELETE FROM credentials WHERE {SqliteSchema.ForgottenAfter} < $1", before.UtcTicks);
        },
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _ownsDatabase ? _database.DisposeAsync() : ValueTask.CompletedTask;

    private static bool Announce(SqliteSession session, CredentialChangeKind kind, string key, DateTimeOffset at) =>
        session.Execute(
            "INSERT INTO changes (kind, key, at) VALUES ($1, $2, $3)", CredentialDocument.Word(kind), key,
            at.UtcTicks) > 0;

    private bool Told(bool changed)
    {
        if (changed)
        {
            Changed?.Invoke();
        }

        return changed;
    }

    private static CredentialChangeKind ParseKind(string word)
    {
        try
        {
            return CredentialDocument.Parse<CredentialChangeKind>(word);
        }
        catch (FormatException exception)
        {
            throw new StateException($"A change in the store cannot be read: {exception.Message}", exception);
        }
    }

    private static DateTimeOffset Instant(long ticks) => CredentialDocument.Instant(ticks);

    private static StoredCredential Read(SqliteDataReader row) => CredentialDocument.Read(
        row.GetString(0),
        row.GetString(1),
        new CredentialState(
            SecretHash.FromBytes(row.GetFieldValue<byte[]>(2)),
            row.IsDBNull(8) ? null : SecretHash.FromBytes(row.GetFieldValue<byte[]>(8)),
            row.GetInt64(3),
            row.GetInt64(4),
            Number(row, 9),
            Number(row, 5),
            Number(row, 6),
            row.IsDBNull(7) ? null : row.GetString(7)));

    private static long? Number(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}
