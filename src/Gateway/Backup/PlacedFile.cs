using System.Security.Cryptography;

namespace Gateway.Backup;

/// <summary>A file of a backup that is being restored.</summary>
/// <param name="Entry">Its entry in the manifest.</param>
/// <param name="Path">Its absolute destination.</param>
/// <param name="Staged">Its temporary place, on the same file system.</param>
internal sealed record PlacedFile(BackupEntry Entry, string Path, string Staged)
{
    /// <summary>Whether its destination is outside the target folder.</summary>
    public bool IsOutside => ArchivePath.IsAbsolute(Entry.Path);

    /// <summary>Whether the same file is in its place already.</summary>
    public bool IsThere => File.Exists(Path) && HashOf(Path) == Entry.Sha256;

    /// <summary>Whether something else is in its place.</summary>
    public bool IsAnotherThere => Directory.Exists(Path) || (File.Exists(Path) && HashOf(Path) != Entry.Sha256);

    private static string HashOf(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
