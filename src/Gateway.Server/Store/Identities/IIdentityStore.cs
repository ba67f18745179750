using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.Identities;

/// <summary>
/// Keeps the people that providers confirmed. What a call has answered is on disk, and all replicas see it.
/// </summary>
/// <remarks>
/// Every method throws <see cref="StateException"/> where the store cannot be reached, written or understood.
/// </remarks>
internal interface IIdentityStore : IAsyncDisposable
{
    /// <summary>The person of a name; <see langword="null"/>: there is none.</summary>
    Task<StoredIdentity?> FindAsync(string method, string name, CancellationToken cancellationToken);

    /// <summary>Everybody.</summary>
    Task<IReadOnlyList<StoredIdentity>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Writes one, unless somebody else did meanwhile.</summary>
    /// <param name="identity">With the version that it was read with.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>It with its new version; <see langword="null"/> where another writing came before.</returns>
    Task<StoredIdentity?> WriteAsync(StoredIdentity identity, CancellationToken cancellationToken);

    /// <summary>Forgets one, so that its name is free for another person.</summary>
    /// <returns><see langword="false"/> where there is none.</returns>
    Task<bool> RemoveAsync(string method, string name, CancellationToken cancellationToken);
}
