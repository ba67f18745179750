namespace Gateway.Backup;

/// <summary>A file of a backup on its way back.</summary>
/// <param name="Entry">What the manifest says.</param>
/// <param name="Path">Where it goes, absolute.</param>
/// <param name="Staged">Where it waits for that, on the same file system.</param>
internal sealed record PlacedFile(BackupEntry Entry, string Path, string Staged)
{
    /// <summary>Whether it goes outside the target.</summary>
    public bool IsOutside => ArchivePath.IsAbsolute(Entry.Path);
}
