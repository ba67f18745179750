namespace Gateway.Backup;

/// <summary>What a backup took along.</summary>
/// <param name="Files">How many files.</param>
/// <param name="Size">The archive's length in bytes.</param>
/// <param name="Outside">Paths that lie outside the configuration's folder.</param>
internal sealed record BackupReport(int Files, long Size, IReadOnlyList<string> Outside);
