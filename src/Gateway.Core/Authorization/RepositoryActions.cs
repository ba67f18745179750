namespace Gateway.Core.Authorization;

/// <summary>What can be done to a repository.</summary>
[Flags]
public enum RepositoryActions : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Read manifests, blobs, tags and referrers.</summary>
    Pull = 1,

    /// <summary>
    /// Upload blobs and put manifests. A grant of it includes <see cref="Pull"/>: every client looks before it pushes.
    /// </summary>
    Push = 2,

    /// <summary>
    /// Move a tag that already exists. Part of a grant of <see cref="Push"/> unless a rule denies it.
    /// </summary>
    Overwrite = 4,

    /// <summary>Remove manifests, tags and blobs.</summary>
    Delete = 8,
}
