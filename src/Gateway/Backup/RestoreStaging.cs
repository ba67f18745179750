#pragma warning disable CA1416 // the gateway runs on Linux
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;
using Gateway.Server.Store.State;

namespace Gateway.Backup;

/// <summary>The files of a backup beside their places: unpacked there, and cleared away afterwards.</summary>
internal sealed class RestoreStaging(RestoreOrder order, RestorePlace place, Action<string> say)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnersFolder = OwnerOnly | UnixFileMode.UserExecute;

    private readonly string _target = place.Target;
    private readonly string _staging = place.Staging;
    private readonly List<string> _made = [];

    /// <summary>Unpacks everything, with its owners and rights.</summary>
    /// <exception cref="ProblemException">The archive is not the one that was verified.</exception>
    public void Unpack(
        ArchiveReader reader, BackupManifest manifest, List<PlacedFile> files, CancellationToken cancellationToken)
    {
        var owner = Directory.Exists(_target) ? _target : Path.GetDirectoryName(_target)!;
        Directory.CreateDirectory(_staging, OwnersFolder);
        var places = files.ToDictionary(static file => file.Entry.Path, StringComparer.Ordinal);
        var read = reader.Read(
            (again, entry) => ReferenceEquals(entry, again.Redis)
                ? Create(place.RedisFile)
                : Create(places[entry.Path].Staged),
            cancellationToken);
        if (read.Write().AsSpan().SequenceEqual(manifest.Write()))
        {
            foreach (var file in files)
            {
                File.SetUnixFileMode(file.Staged, BackupManifest.ParseMode(file.Entry.Mode));
                FileOwner.TakeFromFolder(file.Staged, file.IsOutside ? Path.GetDirectoryName(file.Path)! : owner);
            }

            FinishFolders(manifest, owner);
            return;
        }

        throw new ProblemException(new Problem(
            order.Archive, "the backup was replaced while it was being read", null, "Try again."));
    }

    /// <summary>Writes who is blocked, where the backup lacks something of it.</summary>
    public void KeepBlocks(BackupManifest manifest, List<PlacedFile> files, BlocksKept? blocks)
    {
        var isOutside = ArchivePath.IsAbsolute(manifest.StateFolder);
        var staged = blocks is null ? null : files.Find(file => file.Path == blocks.Path)?.Staged;
        if (blocks is null or { Newer.Count: 0 } || (staged is null && isOutside))
        {
            return; // files outside that are in no backup stay where they are
        }

        staged ??= Path.Combine(_staging, BlocksKept.PathOf(manifest));
        MakeParents(Path.GetDirectoryName(staged)!);
        AtomicFile.Replace(staged, BlockFile.Write(blocks.All), like: null, OwnerOnly);
        FileOwner.TakeFromFolder(
            staged,
            isOutside
                ? Path.GetDirectoryName(blocks.Path)!
                : Directory.Exists(_target) ? _target : Path.GetDirectoryName(_target)!);
    }

    /// <summary>Removes what is not in its place.</summary>
    /// <param name="files">All files.</param>
    /// <param name="isDone">Whether the restore succeeded; otherwise the folders that were made for it go, too.</param>
    public void Clean(List<PlacedFile> files, bool isDone)
    {
        try
        {
            File.Delete(place.RedisFile);
            foreach (var file in files.Where(
                static file => file.IsOutside && Directory.Exists(Path.GetDirectoryName(file.Staged))))
            {
                File.Delete(file.Staged);
            }

            foreach (var folder in Enumerable.Reverse(_made).Where(
                folder => !isDone && Directory.Exists(folder) && RestorePlace.IsEmpty(folder)))
            {
                Directory.Delete(folder);
            }

            if (Directory.Exists(_staging))
            {
                Directory.Delete(_staging, recursive: true);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            say($"This could not be removed: {exception.Message}");
        }
    }

    // Rights last: a read-only folder could not be filled.
    private void FinishFolders(BackupManifest manifest, string owner)
    {
        foreach (var folder in manifest.Folders.OrderByDescending(static folder => folder.Path.Length))
        {
            var isOutside = ArchivePath.IsAbsolute(folder.Path);
            var path = isOutside ? folder.Path : Path.Combine(_staging, folder.Path).TrimEnd('/');
            if (!isOutside)
            {
                MakeParents(path); // an empty folder
            }

            if (!isOutside || _made.Contains(path))
            {
                File.SetUnixFileMode(path, BackupManifest.ParseMode(folder.Mode));
                FileOwner.TakeFromFolder(path, isOutside ? Path.GetDirectoryName(path)! : owner);
                DurableFolder.Sync(path);
            }
        }

        foreach (var made in _made)
        {
            DurableFolder.Sync(Path.GetDirectoryName(made)!); // its own name, if it is outside the target
        }
    }

    private void MakeParents(string folder)
    {
        if (!Directory.Exists(folder))
        {
            MakeParents(Path.GetDirectoryName(folder)!);
            Directory.CreateDirectory(folder, OwnersFolder);
            _made.Add(folder);
        }
    }

    private FileStream Create(string path)
    {
        MakeParents(Path.GetDirectoryName(path)!);
        return new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        });
    }
}
