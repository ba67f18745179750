using Gateway.Core.Authorization;

namespace Gateway.Server.Store.State;

/// <summary>
/// The store as the program uses it: what it revokes is known in this process before the call returns.
/// </summary>
/// <remarks>
/// Other replicas learn of it within a second; a client that asks this one again at once is refused at once.
/// </remarks>
internal sealed class AnnouncingCredentialStore(ICredentialStore store, RevocationFeed feed) : ICredentialStore
{
    /// <inheritdoc/>
    public event Action? Changed
    {
        add => store.Changed += value;
        remove => store.Changed -= value;
    }

    /// <inheritdoc/>
    public Task AddAsync(StoredCredential credential, CancellationToken cancellationToken) =>
        store.AddAsync(credential, cancellationToken);

    /// <inheritdoc/>
    public Task<StoredCredential?> FindAsync(SecretHash hash, CancellationToken cancellationToken) =>
        store.FindAsync(hash, cancellationToken);

    /// <inheritdoc/>
    public Task<StoredCredential?> FindAsync(string id, CancellationToken cancellationToken) =>
        store.FindAsync(id, cancellationToken);

    /// <inheritdoc/>
    public Task<StoredCredential?> FindByIdentityAsync(SecretHash identity, CancellationToken cancellationToken) =>
        store.FindByIdentityAsync(identity, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredCredential>> ListAsync(Subject? owner, CancellationToken cancellationToken) =>
        store.ListAsync(owner, cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> RevokeAsync(string id, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var revoked = await store.RevokeAsync(id, at, cancellationToken);
        await feed.ReadAsync(cancellationToken);
        return revoked;
    }

    /// <inheritdoc/>
    public async Task<int> RevokeAllAsync(Subject owner, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var count = await store.RevokeAllAsync(owner, at, cancellationToken);
        await feed.ReadAsync(cancellationToken);
        return count;
    }

    /// <inheritdoc/>
    public async Task<bool> ShortenAsync(string id, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        var shortened = await store.ShortenAsync(id, expiresAt, cancellationToken);
        await feed.ReadAsync(cancellationToken);
        return shortened;
    }

    /// <inheritdoc/>
    public Task RecordUsesAsync(IReadOnlyCollection<CredentialUse> uses, CancellationToken cancellationToken) =>
        store.RecordUsesAsync(uses, cancellationToken);

    /// <inheritdoc/>
    public Task<ChangePage> ReadChangesAsync(long position, CancellationToken cancellationToken) =>
        store.ReadChangesAsync(position, cancellationToken);

    /// <inheritdoc/>
    public Task<BlockPage> ReadBlocksAsync(string version, CancellationToken cancellationToken) =>
        store.ReadBlocksAsync(version, cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> WriteBlockAsync(SubjectBlock block, CancellationToken cancellationToken)
    {
        var written = await store.WriteBlockAsync(block, cancellationToken);
        await feed.ReadAsync(cancellationToken);
        return written;
    }

    /// <inheritdoc/>
    public Task<int> PruneAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        store.PruneAsync(before, cancellationToken);

    /// <summary>Nothing: the store itself is disposed of by its creator.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
