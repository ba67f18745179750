namespace Gateway.Core.Registry;

/// <summary>The shapes of path that the distribution API has. Which methods each takes is the parser's table.</summary>
internal enum RegistryRoute
{
    None,
    Base,
    Catalog,
    Tags,
    Manifest,
    Referrers,
    Blob,
    UploadStart,
    Upload,
}
