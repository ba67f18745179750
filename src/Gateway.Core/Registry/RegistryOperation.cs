namespace Gateway.Core.Registry;

/// <summary>
/// What a request asks of the registry. One value for each row of the distribution API's table of end points.
/// </summary>
public enum RegistryOperation
{
    /// <summary><c>GET|HEAD /v2/</c>: does the API exist, and are my credentials good?</summary>
    Ping,

    /// <summary><c>GET /v2/_catalog</c>.</summary>
    ListCatalog,

    /// <summary><c>GET …/tags/list</c>.</summary>
    ListTags,

    /// <summary><c>GET …/referrers/&lt;digest&gt;</c>.</summary>
    ListReferrers,

    /// <summary><c>GET|HEAD …/manifests/&lt;reference&gt;</c>.</summary>
    ReadManifest,

    /// <summary><c>PUT …/manifests/&lt;reference&gt;</c>.</summary>
    PutManifest,

    /// <summary>
    /// <c>DELETE …/manifests/&lt;reference&gt;</c>. By digest it removes every tag that points there.
    /// </summary>
    DeleteManifest,

    /// <summary><c>GET|HEAD …/blobs/&lt;digest&gt;</c>.</summary>
    ReadBlob,

    /// <summary><c>DELETE …/blobs/&lt;digest&gt;</c>.</summary>
    DeleteBlob,

    /// <summary><c>POST …/blobs/uploads/</c>, with or without a cross-repository mount.</summary>
    StartUpload,

    /// <summary><c>GET|HEAD …/blobs/uploads/&lt;id&gt;</c>: how far is it?</summary>
    ReadUpload,

    /// <summary><c>PATCH …/blobs/uploads/&lt;id&gt;</c>.</summary>
    AppendUpload,

    /// <summary><c>PUT …/blobs/uploads/&lt;id&gt;?digest=</c>.</summary>
    CompleteUpload,

    /// <summary><c>DELETE …/blobs/uploads/&lt;id&gt;</c>.</summary>
    CancelUpload,
}
