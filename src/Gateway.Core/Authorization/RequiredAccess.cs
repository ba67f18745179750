using Gateway.Core.Registry;

namespace Gateway.Core.Authorization;

/// <summary>The one table from operations to the actions they need. No other place decides that.</summary>
public static class RequiredAccess
{
    /// <summary>
    /// The actions needed on the request's repository; none for ping and catalog, which need an identity only.
    /// </summary>
    /// <remarks>
    /// Reading an upload needs push, not pull: the answer carries a signed upload URL that a mere reader must not get.
    /// Cancelling an upload needs push, not delete: those who may start one may abandon it, and clients hold no delete
    /// for it. Uploads and manifest puts need pull as well: Distribution asks for both when it verifies tokens.
    /// </remarks>
    public static RepositoryActions For(RegistryOperation operation) => operation switch
    {
        RegistryOperation.Ping or RegistryOperation.ListCatalog => RepositoryActions.None,
        RegistryOperation.ListTags or RegistryOperation.ListReferrers
            or RegistryOperation.ReadManifest or RegistryOperation.ReadBlob => RepositoryActions.Pull,
        RegistryOperation.StartUpload or RegistryOperation.ReadUpload or RegistryOperation.AppendUpload
            or RegistryOperation.CompleteUpload or RegistryOperation.CancelUpload
            or RegistryOperation.PutManifest => RepositoryActions.Pull | RepositoryActions.Push,
        RegistryOperation.DeleteManifest or RegistryOperation.DeleteBlob => RepositoryActions.Delete,
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "no access is defined for it"),
    };

    /// <summary>Which tags the request touches, for rules that are limited by tag.</summary>
    public static TagScope TagsOf(RegistryRequest request) => request switch
    {
        { Tag: { } tag } => TagScope.Of(tag),
        { Operation: RegistryOperation.DeleteManifest or RegistryOperation.DeleteBlob } => TagScope.Unknown,
        _ => TagScope.None,
    };
}
