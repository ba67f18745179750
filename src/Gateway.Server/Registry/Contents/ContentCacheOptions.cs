namespace Gateway.Server.Registry.Contents;

/// <summary>
/// Manifests and small blobs that the gateway keeps in memory and answers authorized requests from: docs/cache.md.
/// </summary>
public sealed class ContentCacheOptions
{
    /// <summary>Whether it is on, where the section is there.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// The memory for all contents together, in MiB: 1 to 65,536. No single one takes more than an eighth of it.
    /// </summary>
    public int MaxSizeMiB { get; set; } = 64;

    /// <summary>
    /// The largest blob that is kept, in KiB: 1 to 4,096. Manifests are kept whatever their size, which is 4 MiB at
    /// most.
    /// </summary>
    public int MaxBlobKiB { get; set; } = 64;

    /// <summary>
    /// How long the gateway answers from memory before it asks the registry again: 1 second to 24 hours. What is
    /// deleted in the registry itself, and not through the gateway, is served for as long as this.
    /// </summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a tag is believed to be unchanged without asking the registry, at most <c>maxAge</c>; 0s: the registry
    /// is asked each time.
    /// </summary>
    public TimeSpan TagMaxAge { get; set; }

    /// <summary>The memory for all contents together, in bytes.</summary>
    internal long Capacity => (long)MaxSizeMiB * 1024 * 1024;

    /// <summary>The largest body of a kind that is kept, in bytes.</summary>
    internal int LargestBody(ContentKind kind) =>
        (int)Math.Min(kind == ContentKind.Blob ? MaxBlobKiB * 1024L : LargestManifest, Capacity / 8);

    // Distribution's own limit.
    private const long LargestManifest = 4 * 1024 * 1024;
}
