using Gateway.Core.Authorization;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.State;

/// <summary>Keeps the credentials that the gateway issues. What a call has answered is on disk.</summary>
/// <remarks>
/// Every method throws <see cref="StateException"/> where the store cannot be reached, written or understood. SQLite
/// and Redis implement it, and pass one contract suite (<c>CredentialStoreContract</c>).
/// </remarks>
internal interface ICredentialStore : IAsyncDisposable
{
    /// <summary>
    /// How many credentials an owner has at most, ended ones included while they are kept: no loop of making and ending
    /// fills the store.
    /// </summary>
    const int MostKeptPerOwner = 1000;

    /// <summary>Longer than the lifetime that Kubernetes gives a token that expires at all: a year.</summary>
    static readonly TimeSpan KeptUnlessKnown = TimeSpan.FromDays(400);

    /// <summary>Adds a new credential.</summary>
    Task AddAsync(StoredCredential credential, CancellationToken cancellationToken);

    /// <summary>
    /// The credential with this secret, also an expired or revoked one; <see langword="null"/>: there is none.
    /// </summary>
    Task<StoredCredential?> FindAsync(SecretHash hash, CancellationToken cancellationToken);

    /// <summary>
    /// The credential with this id, also an expired or revoked one; <see langword="null"/>: there is none.
    /// </summary>
    Task<StoredCredential?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>
    /// The credential whose secret says the same in whatever form (<see cref="StoredCredential.Identity"/>), also an
    /// expired or revoked one; <see langword="null"/>: there is none. A caller who presents it has proved nothing by
    /// that.
    /// </summary>
    Task<StoredCredential?> FindByIdentityAsync(SecretHash identity, CancellationToken cancellationToken);

    /// <summary>Credentials, the newest first, expired and revoked ones included while they are kept.</summary>
    /// <param name="owner">Whose (kind and name count); <see langword="null"/> for everybody's.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    Task<IReadOnlyList<StoredCredential>> ListAsync(Subject? owner, CancellationToken cancellationToken);

    /// <summary>Revokes one permanently, and tells every replica.</summary>
    /// <returns><see langword="false"/> where there is none, or it is revoked already.</returns>
    Task<bool> RevokeAsync(string id, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>
    /// Revokes all that a subject has, and the access tokens issued to it until now, and tells every replica.
    /// </summary>
    /// <returns>How many credentials were revoked.</returns>
    Task<int> RevokeAllAsync(Subject owner, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>Lets one end earlier than it would, as after a rotation, and tells every replica.</summary>
    /// <returns><see langword="false"/> where there is none, or it ends earlier anyway.</returns>
    Task<bool> ShortenAsync(string id, DateTimeOffset expiresAt, CancellationToken cancellationToken);

    /// <summary>Notes uses; later ones win. An unknown id is passed over.</summary>
    Task RecordUsesAsync(IReadOnlyCollection<CredentialUse> uses, CancellationToken cancellationToken);

    /// <summary>What was revoked or shortened after a position, in order.</summary>
    /// <param name="position">From <see cref="ChangePage.Position"/>; 0 for all that is kept.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    Task<ChangePage> ReadChangesAsync(long position, CancellationToken cancellationToken);

    /// <summary>Whom operators blocked, lifted blocks included.</summary>
    /// <param name="version">From <see cref="BlockPage.Version"/>; empty for all there are.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    Task<BlockPage> ReadBlocksAsync(string version, CancellationToken cancellationToken);

    /// <summary>Keeps the record of a block, and tells every replica.</summary>
    /// <returns>
    /// <see langword="false"/> where one is kept that was changed as late or later, or after the one that it replaces.
    /// </returns>
    Task<bool> WriteBlockAsync(SubjectBlock block, CancellationToken cancellationToken);

    /// <summary>
    /// Raised where the store learns at once of a change by another replica; polling does not depend on it.
    /// </summary>
    event Action? Changed;

    /// <summary>
    /// Forgets credentials that ended before an instant, and had to be kept until then at most, and changes as old.
    /// </summary>
    /// <remarks>
    /// Gateways up to 0.1 did not write down how long an ID token lives. The jobs' credentials that they left behind,
    /// revoked ones at least, are kept for <see cref="KeptUnlessKnown"/> more.
    /// </remarks>
    /// <returns>How many credentials were forgotten.</returns>
    Task<int> PruneAsync(DateTimeOffset before, CancellationToken cancellationToken);
}

/// <summary>A use of a credential.</summary>
internal readonly record struct CredentialUse(string Id, DateTimeOffset At, System.Net.IPAddress Address);

/// <summary>A revocation that replicas must learn of.</summary>
/// <param name="Kind">What the key names.</param>
/// <param name="Key">A credential's id, or a subject as <see cref="Subject.ToString"/> writes it.</param>
/// <param name="At">For a subject: access tokens issued until then are refused.</param>
internal readonly record struct CredentialChange(CredentialChangeKind Kind, string Key, DateTimeOffset At);

/// <summary>What a change is about.</summary>
internal enum CredentialChangeKind
{
    /// <summary>A credential was revoked.</summary>
    Revoked,

    /// <summary>A credential ends earlier; what is remembered of it must be read again.</summary>
    Shortened,

    /// <summary>A subject's access tokens were revoked.</summary>
    SubjectRevoked,
}

/// <summary>Changes after a position.</summary>
/// <param name="Position">Where the next reading goes on.</param>
/// <param name="Changes">In the order they happened.</param>
internal sealed record ChangePage(long Position, IReadOnlyList<CredentialChange> Changes);
