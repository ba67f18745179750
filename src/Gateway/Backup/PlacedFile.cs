namespace Gateway.Backup;

/// <summary>A file of a backup that is being restored.</summary>
/// <param name="Entry">Its entry in the manifest.</param>
/// <param name="Path">Its absolute destination.</param>
/// <param name="Staged">Its temporary place, on the same file system.</param>
internal sealed record PlacedFile(BackupEntry Entry, string Path, string Staged)
{
    /// <summary>Whether its destination is outside the target folder.</summary>
    public bool IsOutside => ArchivePath.IsAbsolute(Entry.Path);
}
