namespace Gateway.Backup;

/// <summary>What a backup contains.</summary>
/// <param name="Files">How many files.</param>
/// <param name="Size">The archive's length in bytes.</param>
/// <param name="Outside">Paths outside the configuration's folder.</param>
internal sealed record BackupReport(int Files, long Size, IReadOnlyList<string> Outside);
