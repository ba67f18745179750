namespace Gateway.Backup;

/// <summary>A file on its way into an archive: its line in the manifest, and its content.</summary>
/// <param name="Entry">What the manifest says.</param>
/// <param name="Content">The content, where it is small.</param>
/// <param name="File">The file that holds it, where it is not.</param>
internal sealed record ArchiveSource(BackupEntry Entry, byte[]? Content, string? File)
{
    /// <summary>Opens the content.</summary>
    public Stream Open() => Content is not null ? new MemoryStream(Content, writable: false) : System.IO.File.OpenRead(File!);
}
