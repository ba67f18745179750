using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.State;

/// <summary>What users of a store have in common.</summary>
internal static class CredentialStoreExtensions
{
    /// <summary>
    /// Sees that one more of a kind is no loop that fills the store: ended ones are kept for 30 days.
    /// </summary>
    /// <exception cref="StateException">The owner had too many lately.</exception>
    public static async Task EnsureRoomAsync(
        this ICredentialStore store, Subject owner, CredentialKind kind, CancellationToken cancellationToken)
    {
        var kept = await store.ListAsync(owner, cancellationToken);
        if (kept.Count(credential => credential.Kind == kind) >= ICredentialStore.MostKeptPerOwner)
        {
            throw new StateException(
                $"{owner} had {ICredentialStore.MostKeptPerOwner} credentials of the kind {kind} "
                + "within 30 days, the limit; check for a loop.");
        }
    }

    /// <summary>
    /// All but sessions and devices' approvals, which come and go with each sign-in and are counted by themselves.
    /// </summary>
    public static IReadOnlyList<StoredCredential> WithoutPassing(this IReadOnlyList<StoredCredential> credentials) =>
        [
            .. credentials.Where(
                static credential => credential.Kind is not (CredentialKind.Session or CredentialKind.Device)),
        ];
}
