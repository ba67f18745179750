namespace Gateway.Server.Registry.Contents;

/// <summary>What a content was asked as. A registry may answer the same bytes otherwise under another kind.</summary>
internal enum ContentKind : byte
{
    /// <summary>A blob, by its digest.</summary>
    Blob,

    /// <summary>A manifest, by its digest.</summary>
    Manifest,

    /// <summary>A manifest, by a tag: Distribution converts some of them for clients that accept no other.</summary>
    Tag,
}
