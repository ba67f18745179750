namespace Gateway.Backup;

/// <summary>A folder of a backup's files.</summary>
/// <param name="Path">Like <see cref="BackupEntry.Path"/>; empty for the configuration's own folder.</param>
/// <param name="Mode">Its rights, as chmod(1) writes them.</param>
internal sealed record BackupFolder(string Path, string Mode);
