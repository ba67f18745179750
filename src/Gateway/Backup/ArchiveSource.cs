namespace Gateway.Backup;

/// <summary>A file to be archived: its line in the manifest, and its content.</summary>
/// <param name="Entry">Its entry in the manifest.</param>
/// <param name="Content">The content, if it is small.</param>
/// <param name="File">The file that holds it, if it is not.</param>
internal sealed record ArchiveSource(BackupEntry Entry, byte[]? Content, string? File)
{
    /// <summary>Opens the content.</summary>
    public Stream Open() =>
        Content is not null ? new MemoryStream(Content, writable: false) : System.IO.File.OpenRead(File!);
}
