using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.State;

/// <summary>
/// Finds credentials by their secret, quickly, and never serves one whose revocation is a second old.
/// </summary>
internal interface ICredentialDirectory
{
    /// <summary>The credential, also an expired or revoked one; <see langword="null"/>: there is none.</summary>
    /// <exception cref="StateException">
    /// It cannot be told: the store is unavailable, and with it the news of revocations.
    /// </exception>
    ValueTask<StoredCredential?> FindAsync(SecretHash hash, CancellationToken cancellationToken);

    /// <summary>Notes a use, to be written soon.</summary>
    void RecordUse(CredentialUse use);
}
