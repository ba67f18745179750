using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Gateway.Foundation.Configuration;

namespace Gateway.Backup;

/// <summary>
/// Reads an archive without trusting it: every file must be the one that the manifest lists, in its order.
/// </summary>
internal sealed class ArchiveReader(string path, string? passphrase)
{
    private const int LargestManifest = 16 * 1024 * 1024;
    private const int RoomForEach = 16 * 1024; // a tar's headers, names included
    private const int RoomAtEnd = 64 * 1024;
    private const string Damaged = "Use another backup: this one is damaged, incomplete, or not from \"gateway "
        + "backup\".";

    private byte[]? _header;
    private byte[]? _key;

    /// <summary>Whether the archive is encrypted; known after the first reading.</summary>
    public bool IsEncrypted => _header is not null;

    /// <summary>Reads it from beginning to end.</summary>
    /// <param name="open">
    /// Returns the file to write an entry to, or <see langword="null"/> to only check it. The file is closed when
    /// complete.
    /// </param>
    /// <param name="cancellationToken">Stops it between two reads.</param>
    /// <returns>The manifest, every line of which was verified.</returns>
    /// <exception cref="ProblemException">
    /// It is not a complete and unchanged backup; discard what was written.
    /// </exception>
    public BackupManifest Read(Func<BackupManifest, BackupEntry, Stream?> open, CancellationToken cancellationToken)
    {
        OpeningStream? opening = null;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            opening = Opening(file);
            using var gzip = new GZipStream((Stream?)opening ?? file, CompressionMode.Decompress, leaveOpen: true);
            var bounded = new BoundedStream(gzip) { Limit = LargestManifest + RoomAtEnd };
            var manifest = ReadTar(bounded, open, cancellationToken);
            CheckEnd(bounded, opening, file);
            return manifest;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ProblemException(new Problem(path, "no such file", null, "Name the backup file."));
        }
        catch (UnauthorizedAccessException)
        {
            throw new ProblemException(
                new Problem(path, "no permission to read the backup", null, "Run as its owner."));
        }
        catch (CryptographicException) when (opening is not null)
        {
            throw new ProblemException(opening.HasOpened
                ? new Problem(path, "the backup was changed, or its end is missing", null, Damaged)
                : new Problem(
                    path, "the backup cannot be decrypted", null,
                    "Check the passphrase; if it is right, the file was changed."));
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or FormatException
            or ArgumentException or OverflowException or NotSupportedException or InvalidOperationException)
        {
            throw Wrong("the backup is damaged or incomplete", exception.Message);
        }
        finally
        {
            opening?.Dispose();
        }
    }

    private static int ReadFully(Stream stream, Span<byte> buffer) =>
        stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);

    private OpeningStream? Opening(FileStream file)
    {
        var header = new byte[SealedFormat.HeaderLength];
        var length = ReadFully(file, header);
        if (header.AsSpan(0, length).StartsWith(SealedFormat.Magic))
        {
            if (!SealedFormat.IsHeader(header.AsSpan(0, length)))
            {
                throw Wrong("the backup's header is malformed", null);
            }

            if (passphrase is null)
            {
                throw new ProblemException(new Problem(
                    path, "the backup is encrypted", null,
                    "Give its passphrase: --passphrase-file FILE, or --passphrase to type it."));
            }

            _key = _header is not null && header.AsSpan().SequenceEqual(_header)
                ? _key
                : SealedFormat.DeriveKey(passphrase, header);
            _header = header;
            return new OpeningStream(file, header, _key!);
        }

        // The first bytes of the gzip that we write: no name, no time, nothing that could be changed unnoticed.
        if (length < 8 || !header.AsSpan(0, 8).SequenceEqual<byte>([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]))
        {
            throw Wrong("this is not a backup", null);
        }

        // Anyone who gives a passphrase expects a file that nobody else can have created.
        if (passphrase is not null)
        {
            throw new ProblemException(new Problem(
                path, "a passphrase is given, but the backup is not encrypted", null,
                "If this is the right backup, leave the passphrase out; anybody could have created this file."));
        }

        _header = null;
        file.Position = 0;
        return null;
    }

    private BackupManifest ReadTar(
        BoundedStream input, Func<BackupManifest, BackupEntry, Stream?> open, CancellationToken cancellationToken)
    {
        using var tar = new TarReader(input, leaveOpen: true);
        var json = ReadSmall(Next(tar, ArchivePath.Manifest), LargestManifest);
        var manifest = BackupManifest.Read(path, json);
        input.Limit = input.Count + RoomAtEnd
            + manifest.All.Sum(
                static entry => entry.Size + RoomForEach + (2 * (long)Encoding.UTF8.GetByteCount(entry.Path)));
        foreach (var entry in manifest.All)
        {
            ReadEntry(Next(tar, ArchivePath.NameOf(manifest, entry)), manifest, entry, open, cancellationToken);
        }

        var hash = Encoding.ASCII.GetString(ReadSmall(Next(tar, ArchivePath.ManifestHash), 65));
        if (hash != Convert.ToHexStringLower(SHA256.HashData(json)) + "\n")
        {
            throw Wrong("the manifest was changed", null);
        }

        return tar.GetNextEntry() is { } extra
            ? throw Wrong("the backup holds a file that its manifest does not list", extra.Name)
            : manifest;
    }

    private TarEntry Next(TarReader tar, string name)
    {
        var entry = tar.GetNextEntry() ?? throw Wrong("the backup lacks a file that its manifest lists", name);
        if (entry.EntryType != TarEntryType.RegularFile)
        {
            throw Wrong($"the backup holds something that is not a file ({entry.EntryType})", entry.Name);
        }

        return entry.Name == name
            ? entry
            : throw Wrong($"the backup holds another file where its manifest lists {name}", entry.Name);
    }

    private byte[] ReadSmall(TarEntry entry, int most)
    {
        if (entry.Length > most)
        {
            throw Wrong($"{entry.Name} is too large", null);
        }

        var content = new byte[entry.Length];
        entry.DataStream?.ReadExactly(content);
        return content;
    }

    private void ReadEntry(
        TarEntry found,
        BackupManifest manifest,
        BackupEntry entry,
        Func<BackupManifest, BackupEntry, Stream?> open,
        CancellationToken cancellationToken)
    {
        if (found.Length != entry.Size)
        {
            throw Wrong($"{entry.Path} does not have the size that the manifest lists", null);
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var output = open(manifest, entry);
        var buffer = new byte[SealedFormat.ChunkLength];
        for (var left = entry.Size; left > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = found.DataStream!.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (count == 0)
            {
                throw Wrong("the backup ends within a file", entry.Path);
            }

            hash.AppendData(buffer, 0, count);
            Write(output, buffer.AsSpan(0, count));
            left -= count;
        }

        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != entry.Sha256)
        {
            throw Wrong("the content of a file was changed", entry.Path);
        }

        Store(output);
    }

    // An error of the disk here is not a fault of the archive.
    private static void Write(Stream? output, ReadOnlySpan<byte> bytes)
    {
        try
        {
            output?.Write(bytes);
        }
        catch (IOException exception)
        {
            throw Unwritable(output, exception);
        }
    }

    private static void Store(Stream? output)
    {
        try
        {
            (output as FileStream)?.Flush(flushToDisk: true);
        }
        catch (IOException exception)
        {
            throw Unwritable(output, exception);
        }
    }

    private static ProblemException Unwritable(Stream? output, IOException exception) => new(new Problem(
        (output as FileStream)?.Name ?? "restore", "the file cannot be written", exception.Message,
        "Check that the disk has space."));

    private void CheckEnd(BoundedStream input, OpeningStream? opening, FileStream file)
    {
        var buffer = new byte[4096];
        while (input.Read(buffer) is var count and > 0)
        {
            if (buffer.AsSpan(0, count).ContainsAnyExcept((byte)0))
            {
                throw Wrong("something follows the end of the backup", null);
            }
        }

        if (opening is not null)
        {
            while (opening.Read(buffer) > 0)
            {
                // to the last chunk, which is marked as the last
            }

            return;
        }

        // gzip ends with the CRC and the length of the text: other bytes are there if the end is missing, or if
        // something follows.
        Span<byte> last = stackalloc byte[8];
        file.Seek(-last.Length, SeekOrigin.End);
        if (ReadFully(file, last) != last.Length || BinaryPrimitives.ReadUInt32LittleEndian(last) != input.Crc
            || BinaryPrimitives.ReadUInt32LittleEndian(last[4..]) != (uint)input.Count)
        {
            throw Wrong("the end of the backup is missing, or something follows it", null);
        }
    }

    private ProblemException Wrong(string what, string? found) => new(new Problem(path, what, found, Damaged));
}
