using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Gateway.Backup;

/// <summary>Writes an archive: tar in gzip, encrypted if there is a passphrase.</summary>
internal static class ArchiveWriter
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes the complete archive.</summary>
    /// <param name="output">The destination; it stays open.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="sources">The files, in the manifest's order.</param>
    /// <param name="passphrase">The passphrase to encrypt it with; <see langword="null"/>: not encrypted.</param>
    /// <param name="cancellationToken">Stops it between two files.</param>
    public static void Write(
        Stream output,
        BackupManifest manifest,
        IReadOnlyList<ArchiveSource> sources,
        string? passphrase,
        CancellationToken cancellationToken)
    {
        using var sealing = passphrase is null ? null : new SealingStream(output, passphrase);
        using var gzip = new GZipStream(sealing ?? output, CompressionLevel.Optimal, leaveOpen: true);
        using var tar = new TarWriter(gzip, TarEntryFormat.Pax, leaveOpen: true);
        var json = manifest.Write();
        Add(tar, manifest, ArchivePath.Manifest, OwnerOnly, new MemoryStream(json, writable: false));
        foreach (var source in sources)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var content = source.Open();
            Add(
                tar, manifest, ArchivePath.NameOf(manifest, source.Entry), BackupManifest.ParseMode(source.Entry.Mode),
                content);
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(json)) + "\n";
        Add(
            tar, manifest, ArchivePath.ManifestHash, OwnerOnly,
            new MemoryStream(System.Text.Encoding.ASCII.GetBytes(hash)));
    }

    private static void Add(TarWriter tar, BackupManifest manifest, string name, UnixFileMode mode, Stream content) =>
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
        {
            Mode = mode,
            ModificationTime = manifest.CreatedAt,
            DataStream = content,
        });
}
