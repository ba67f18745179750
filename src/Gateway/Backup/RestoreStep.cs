namespace Gateway.Backup;

/// <summary>The steps of a restore at which a test can make it fail.</summary>
internal enum RestoreStep
{
    /// <summary>Everything is verified; nothing was written.</summary>
    Verified,

    /// <summary>All files are beside their destinations.</summary>
    Unpacked,

    /// <summary>The data of Redis is under its temporary prefix.</summary>
    Staged,

    /// <summary>Redis has the restored data.</summary>
    RedisSwitched,

    /// <summary>Files outside the folder are in place.</summary>
    OutsidePlaced,

    /// <summary>The folder is in place.</summary>
    FolderPlaced,
}
