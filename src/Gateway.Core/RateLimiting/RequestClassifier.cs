using Gateway.Core.Registry;

namespace Gateway.Core.RateLimiting;

/// <summary>The one table from operations to what they cost. No other place decides that.</summary>
public static class RequestClassifier
{
    /// <summary>The class of a registry request, and how many permits it takes.</summary>
    /// <remarks>
    /// Zero permits: the request is free and never refused, and its answer tells what is left, as on Docker Hub. A step
    /// of a started upload has no class at all: its body cannot be sent a second time.
    /// </remarks>
    public static (RequestClasses Class, int Permits) Classify(RegistryRequest request) => request.Operation switch
    {
        RegistryOperation.ReadManifest => (RequestClasses.Pull, request.Method == RegistryMethod.Head ? 0 : 1),
        RegistryOperation.StartUpload or RegistryOperation.PutManifest
            or RegistryOperation.DeleteManifest or RegistryOperation.DeleteBlob => (RequestClasses.Push, 1),
        RegistryOperation.ReadBlob when request.Method == RegistryMethod.Head => default,
        RegistryOperation.ReadBlob or RegistryOperation.ListTags
            or RegistryOperation.ListReferrers => (RequestClasses.Read, 1),
        RegistryOperation.ListCatalog => (RequestClasses.Catalog, 1),
        _ => default,
    };
}
