using System.Security.Cryptography;

namespace Gateway.Backup;

/// <summary>A file of a backup on its way back.</summary>
/// <param name="Entry">What the manifest says.</param>
/// <param name="Path">Where it goes, absolute.</param>
/// <param name="Staged">Where it waits for that, on the same file system.</param>
internal sealed record PlacedFile(BackupEntry Entry, string Path, string Staged)
{
    /// <summary>Whether it goes outside the target.</summary>
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
