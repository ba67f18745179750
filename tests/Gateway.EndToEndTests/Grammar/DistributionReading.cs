using Gateway.Core.Registry;

namespace Gateway.EndToEndTests.Grammar;

/// <summary>What one reader of a target takes it for. Absent and empty parameters are the same, as in Go.</summary>
internal sealed record DistributionReading(string Route, string? Name = null, string? Item = null)
{
    public string? Mount { get; init; }

    public string? From { get; init; }

    public string? Digest { get; init; }

    /// <summary>The gateway's own parameter; no registry has it, and no target that is forwarded.</summary>
    public string? Ticket { get; init; }

    public string? State { get; init; }

    public long? PageSize { get; init; }

    public string? Last { get; init; }

    public string ArtifactTypes { get; init; } = "";

    /// <summary>The decision's view, written down member by member.</summary>
    /// <param name="request">The request, as the client sent it or as it is forwarded.</param>
    /// <param name="state">The state that the registry gave the upload, where the request is forwarded with it.</param>
    public static DistributionReading Of(RegistryRequest request, string? state = null) => new(
        request.Operation switch
        {
            RegistryOperation.Ping => "base",
            RegistryOperation.ListCatalog => "catalog",
            RegistryOperation.ListTags => "tags",
            RegistryOperation.ListReferrers => "referrers",
            RegistryOperation.ReadManifest or RegistryOperation.PutManifest or RegistryOperation.DeleteManifest =>
                "manifest",
            RegistryOperation.ReadBlob or RegistryOperation.DeleteBlob => "blob",
            RegistryOperation.StartUpload => "blob-upload",
            _ => "blob-upload-chunk",
        },
        request.Repository?.Value,
        request.Reference?.Value ?? request.Digest?.Value ?? request.Upload?.Value)
    {
        Mount = request.Parameters.Mount?.Value,
        From = request.Parameters.From?.Value,
        Digest = request.Parameters.Digest?.Value,
        Ticket = request.Parameters.Ticket,
        State = string.IsNullOrEmpty(state) ? null : state,
        PageSize = request.Parameters.PageSize,
        Last = request.Parameters.Last,
        ArtifactTypes = string.Join('\n', request.Parameters.ArtifactTypes),
    };

    /// <summary>Without the parameters that the gateway drops on purpose before it forwards.</summary>
    /// <param name="request">What the parser made of the same target.</param>
    public DistributionReading WithoutWhatIsDropped(RegistryRequest request) => this with
    {
        // A mount is dropped as a whole, where it is not asked for or cannot be done.
        Mount = request.Parameters.Mount is null ? null : Mount,
        From = request.Parameters.Mount is null ? null : From,
        Digest = request.Operation == RegistryOperation.CompleteUpload ? Digest : null,
        Ticket = Route is "blob-upload-chunk" ? Ticket : null,
        State = null, // the registry's comes out of the ticket, never from the client
        PageSize = Route is "catalog" or "tags" ? PageSize : null,
        Last = Route is "catalog" or "tags" ? Last : null,
        ArtifactTypes = Route is "referrers" ? ArtifactTypes : "",
    };
}
