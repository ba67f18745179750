namespace Gateway.Backup;

/// <summary>The moments of a restore at which a test may make it fail.</summary>
internal enum RestoreStep
{
    /// <summary>Everything is verified; nothing was written.</summary>
    Verified,

    /// <summary>All files lie beside their places.</summary>
    Unpacked,

    /// <summary>What was in Redis lies beside its place.</summary>
    Staged,

    /// <summary>Redis has what was restored.</summary>
    RedisSwitched,

    /// <summary>Files outside the folder are in place.</summary>
    OutsidePlaced,

    /// <summary>The folder is in place.</summary>
    FolderPlaced,
}
