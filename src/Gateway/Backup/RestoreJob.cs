#pragma warning disable CA1416 // the gateway runs on Linux
using System.Globalization;
using System.Security.Cryptography;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.State;

namespace Gateway.Backup;

/// <summary>
/// Restores a backup: verifies all of it, unpacks it beside its destination, then renames it into place.
/// </summary>
internal sealed class RestoreJob : IAsyncDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnersFolder = OwnerOnly | UnixFileMode.UserExecute;

    private readonly RestoreOrder _order;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly Action<string> _say;
    private readonly string _target;
    private readonly string _staging;
    private readonly string _mark;
    private readonly string _aside;
    private readonly Stack<Func<Task>> _undo = [];
    private readonly List<string> _made = [];
    private RedisBackup? _redis;

    /// <param name="order">What to restore.</param>
    /// <param name="time">The clock, for the names of files that are moved aside.</param>
    /// <param name="environment">The variables that apply to the restored configuration.</param>
    /// <param name="say">Receives a line for each thing that was or would be done.</param>
    public RestoreJob(
        RestoreOrder order, TimeProvider time, IReadOnlyDictionary<string, string> environment, Action<string> say)
    {
        _order = order;
        _environment = environment;
        _say = say;
        _target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(order.Target));
        _mark = "restore-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        _staging = Path.Combine(Path.GetDirectoryName(_target) ?? "/", $".{Path.GetFileName(_target)}.{_mark}");
        _aside = "before-restore-" + time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
    }

    /// <summary>For tests: called at each step; it may throw.</summary>
    public Action<RestoreStep> Reached { get; init; } = static _ => { };

    /// <summary>Restores everything or nothing.</summary>
    /// <exception cref="ProblemException">It was refused or failed; nothing was changed.</exception>
    /// <exception cref="StateException">Redis failed; nothing was changed.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var reader = new ArchiveReader(_order.Archive, _order.Passphrase);
        using var archived = new MemoryStream();
        var manifest = reader.Read(
            (manifest, entry) => entry.Path == BlockPathOf(manifest) ? archived : null, cancellationToken);
        var files = Plan(manifest);
        Check(manifest, files);
        var blocks = FindBlocks(manifest, archived.ToArray());
        Announce(manifest, files);
        Announce(manifest, blocks);
        Reached(RestoreStep.Verified);
        if (_order.IsDryRun)
        {
            return;
        }

        var isDone = false;
        try
        {
            Unpack(reader, manifest, files, cancellationToken);
            KeepBlocks(manifest, files, blocks);
            Reached(RestoreStep.Unpacked);
            await StageAsync(manifest, files, cancellationToken);
            Reached(RestoreStep.Staged);
            CheckRunning(manifest);
            await PlaceAsync(files, cancellationToken);
            isDone = true;
        }
        catch (Exception exception)
        {
            await UndoAsync();
            throw exception switch
            {
                UnauthorizedAccessException => new ProblemException(new Problem(
                    _target, "no permission to restore here; nothing was changed", exception.Message,
                    "Run as the gateway's account, and let it write to the folder around the target.")),
                IOException => new ProblemException(new Problem(
                    _target, "the backup cannot be restored here; nothing was changed", exception.Message,
                    "Check that the disk has space, and that the target is not a mount point (restore into a "
                        + "folder in it).")),
                _ => exception,
            };
        }
        finally
        {
            Clean(files, isDone);
        }

        if (isDone)
        {
            Say("Restored. Check it with \"gateway config check\", then start the gateway.");
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _redis?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static void MakeFolder(string folder, UnixFileMode mode)
    {
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder, OwnersFolder);
            File.SetUnixFileMode(folder, mode); // whatever the umask
        }
    }

    private static bool IsEmpty(string folder) => !Directory.EnumerateFileSystemEntries(folder).Any();

    private static string HashOf(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private List<PlacedFile> Plan(BackupManifest manifest)
    {
        var files = new List<PlacedFile>();
        foreach (var entry in manifest.Entries)
        {
            var path = entry.Path == manifest.Configuration ? _order.ConfigurationName ?? entry.Path : entry.Path;
            files.Add(ArchivePath.IsAbsolute(path)
                ? new PlacedFile(entry, path, Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{_mark}"))
                : new PlacedFile(entry, Path.Combine(_target, path), Path.Combine(_staging, path)));
        }

        return files;
    }

    private void Check(BackupManifest manifest, List<PlacedFile> files)
    {
        var problems = new List<Problem>();
        if (_order.ConfigurationName is { } name && (!ArchivePath.IsSafe(name) || name.Contains('/', StringComparison.Ordinal)
            || files.Count(file => file.Path == Path.Combine(_target, name)) > 1))
        {
            problems.Add(new Problem(
                "--config", "this cannot be the configuration file's name", name,
                "Give a name without folders that no other file of the backup has."));
        }

        var outside = files.Where(static file => file.IsOutside).ToList();
        if (outside.Count > 0 && !_order.AllowAbsolute)
        {
            problems.AddRange(outside.Select(file => new Problem(
                file.Path, $"{file.Entry.Setting}: this file is outside the configuration's folder", null,
                "Give --absolute to restore it to this path.")));
        }
        else
        {
            problems.AddRange(outside.Where(file => !_order.MayReplace && IsAnother(file)).Select(static file => new Problem(
                file.Path, "another file exists there already",
                null, "Move it away, or give --force to move it aside.")));
        }

        CheckTarget(problems);
        CheckSpace(manifest, problems);
        if (problems.Count > 0)
        {
            throw new ProblemException(problems);
        }

        CheckRunning(manifest);
    }

    private void CheckTarget(List<Problem> problems)
    {
        if (new FileInfo(_target).LinkTarget is not null)
        {
            problems.Add(new Problem(_target, "this is a symbolic link", null, "Name its target."));
        }
        else if (File.Exists(_target))
        {
            problems.Add(new Problem(_target, "this is a file, not a folder", null, "Name a folder."));
        }
        else if (Path.GetDirectoryName(_target) is not { } parent || !Directory.Exists(parent))
        {
            problems.Add(new Problem(_target, "the folder around it does not exist", Path.GetDirectoryName(_target),
                "Create it first."));
        }
        else if (Directory.Exists(_target) && !IsEmpty(_target) && !_order.MayReplace)
        {
            problems.Add(new Problem(
                _target, "the folder is not empty", null,
                $"Name another folder, or give --force to move it aside, to {_target}.{_aside}."));
        }
    }

    private void CheckSpace(BackupManifest manifest, List<Problem> problems)
    {
        var size = manifest.All.Sum(static entry => entry.Size);
        if (Path.GetDirectoryName(_target) is { } parent && Directory.Exists(parent)
            && new DriveInfo(parent).AvailableFreeSpace is var free && free < size)
        {
            problems.Add(new Problem(
                _target, string.Create(CultureInfo.InvariantCulture, $"the backup needs {size} bytes"),
                string.Create(CultureInfo.InvariantCulture, $"{free} free"), "Free some space there."));
        }
    }

    private void CheckRunning(BackupManifest manifest)
    {
        var state = ArchivePath.IsAbsolute(manifest.StateFolder)
            ? manifest.StateFolder
            : Path.Combine(_target, manifest.StateFolder);
        if ((RunningGateway.Find(state) ?? RunningGateway.FindBelow(_target)) is { } running)
        {
            throw new ProblemException(running);
        }
    }

    private static bool IsAnother(PlacedFile file) =>
        Directory.Exists(file.Path) || (File.Exists(file.Path) && HashOf(file.Path) != file.Entry.Sha256);

    private void Announce(BackupManifest manifest, List<PlacedFile> files)
    {
        var (restores, moves) = _order.IsDryRun ? ("Would restore", "Would move aside") : ("Restoring", "Moving aside");
        Say(string.Create(
            CultureInfo.InvariantCulture,
            $"The backup is complete: created {manifest.CreatedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC by version "
                + $"{manifest.Gateway}, {manifest.Entries.Count} files, tokens in {manifest.Store}."));
        if (Directory.Exists(_target) && !IsEmpty(_target))
        {
            Say($"{moves}: {_target} to {_target}.{_aside}");
        }

        foreach (var file in files)
        {
            Say($"{restores}: {file.Path} ({file.Entry.Mode}, {file.Entry.Setting})");
        }

        if (manifest.Redis is not null)
        {
            Say($"{restores}: the data of Redis, to the Redis that the restored configuration names");
        }
    }

    private void Announce(BackupManifest manifest, BlocksKept? blocks)
    {
        foreach (var block in blocks?.Newer ?? [])
        {
            Say($"{(_order.IsDryRun ? "Would keep" : "Keeping")}: "
                + $"{block.Subject} {(block.LiftedAt is null ? "is blocked" : "is no longer blocked")}, which the backup lacks");
        }

        if (blocks is null)
        {
            var last = string.Create(CultureInfo.InvariantCulture, $"{manifest.CreatedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
            Say($"{Path.Combine(_target, BlockPathOf(manifest))} does not exist, so it is not known here who was "
                + $"blocked or unblocked after {last}{(manifest.Redis is null ? "" : ", except in Redis")}. Find that "
                + $"in the audit trail (\"block\", \"unblock\"), and repeat it before the gateway starts.");
        }
    }

    private static string BlockPathOf(BackupManifest manifest) => manifest.StateFolder.Length == 0
        ? BlockFile.FileName
        : $"{manifest.StateFolder}/{BlockFile.FileName}";

    // A backup is older than the current state, and must not unblock anyone who was blocked since.
    private BlocksKept? FindBlocks(BackupManifest manifest, byte[] archived)
    {
        var path = Path.Combine(_target, BlockPathOf(manifest)); // an absolute path stays absolute
        if (BlockFile.Read(path) is not { } known)
        {
            return null;
        }

        var old = archived.Length > 0
            ? BlockFile.Parse(_order.Archive, System.Text.Encoding.UTF8.GetString(archived))
            : SubjectBlocks.None;
        return new BlocksKept(path, old.With(known.All), known.Beyond(old));
    }

    private void KeepBlocks(BackupManifest manifest, List<PlacedFile> files, BlocksKept? blocks)
    {
        var isOutside = ArchivePath.IsAbsolute(manifest.StateFolder);
        var staged = blocks is null ? null : files.Find(file => file.Path == blocks.Path)?.Staged;
        if (blocks is null or { Newer.Count: 0 } || (staged is null && isOutside))
        {
            return; // files outside that are in no backup stay where they are
        }

        staged ??= Path.Combine(_staging, BlockPathOf(manifest));
        MakeParents(Path.GetDirectoryName(staged)!);
        AtomicFile.Replace(staged, BlockFile.Write(blocks.All), like: null, OwnerOnly);
        FileOwner.TakeFromFolder(
            staged, isOutside ? Path.GetDirectoryName(blocks.Path)! : Directory.Exists(_target) ? _target : Path.GetDirectoryName(_target)!);
    }

    private void Unpack(
        ArchiveReader reader, BackupManifest manifest, List<PlacedFile> files, CancellationToken cancellationToken)
    {
        var owner = Directory.Exists(_target) ? _target : Path.GetDirectoryName(_target)!;
        Directory.CreateDirectory(_staging, OwnersFolder);
        var places = files.ToDictionary(static file => file.Entry.Path, StringComparer.Ordinal);
        var read = reader.Read(
            (again, entry) => ReferenceEquals(entry, again.Redis) ? Create(RedisFile) : Create(places[entry.Path].Staged),
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
            _order.Archive, "the backup was replaced while it was being read", null, "Try again."));
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

    private string RedisFile => _staging + ".jsonl";

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

    private async Task StageAsync(
        BackupManifest manifest, List<PlacedFile> files, CancellationToken cancellationToken)
    {
        if (manifest.Redis is null)
        {
            return;
        }

        // Files that it names elsewhere are not in place yet.
        var staged = files.Where(static file => file.IsOutside)
            .ToDictionary(static file => file.Path, static file => file.Staged, StringComparer.Ordinal);
        string Locate(string path) => staged.GetValueOrDefault(path, path);
        var configuration = files.Find(file => file.Entry.Path == manifest.Configuration)!.Staged;
        var options = ConfigurationLoader.Load(configuration, _environment, Locate);
        if (!RedisBackup.IsNeeded(options))
        {
            throw new ProblemException(new Problem(
                _order.Archive, "the backup has data of Redis, but its configuration names no Redis", null,
                "Set the GATEWAY__ variables that the gateway had when the backup was created."));
        }

        options.Redis!.CertificateAuthority = options.Redis.CertificateAuthority is { } authority ? Locate(authority) : null;
        _redis = new RedisBackup(options);
        if (await _redis.FindObstacleAsync(_order.MayReplace, cancellationToken) is { } obstacle)
        {
            throw new ProblemException(obstacle);
        }

        _undo.Push(() => _redis.RemoveAsync(_mark + ":"));
        await using var input = File.OpenRead(RedisFile);
        await _redis.StageAsync(_mark + ":", input, cancellationToken);
    }

    // Redis first: if this process is killed after it, no gateway can start on half of the backup, since its folder
    // does not exist.
    private async Task PlaceAsync(List<PlacedFile> files, CancellationToken cancellationToken)
    {
        if (_redis is not null)
        {
            var kept = await _redis.SwitchAsync(
                _mark + ":", _aside + ":", _order.MayReplace, keepBlocks: true, cancellationToken);
            _undo.Push(() => _redis.SwitchAsync(
                _aside + ":", _mark + ":", mayReplace: true, keepBlocks: false, CancellationToken.None));
            if (kept.Count > 0)
            {
                Say($"Kept newer blocks and unblocks from Redis, which the backup lacks: {string.Join(", ", kept)}");
            }

            Reached(RestoreStep.RedisSwitched);
        }

        foreach (var file in files.Where(static file => file.IsOutside))
        {
            PlaceOutside(file);
        }

        Reached(RestoreStep.OutsidePlaced);
        PlaceFolder();
        Reached(RestoreStep.FolderPlaced);
    }

    private void PlaceOutside(PlacedFile file)
    {
        if (File.Exists(file.Path) && HashOf(file.Path) == file.Entry.Sha256)
        {
            return; // the same file exists: it keeps its owner and rights
        }

        if (File.Exists(file.Path) || Directory.Exists(file.Path))
        {
            var aside = $"{file.Path}.{_aside}";
            NativePlace.Rename(file.Path, aside);
            Undo(() => NativePlace.Rename(aside, file.Path));
        }

        NativePlace.Rename(file.Staged, file.Path);
        Undo(() => NativePlace.Rename(file.Path, file.Staged));
        DurableFolder.Sync(Path.GetDirectoryName(file.Path)!);
    }

    private void PlaceFolder()
    {
        var parent = Path.GetDirectoryName(_target)!;
        if (!Directory.Exists(_target) || IsEmpty(_target))
        {
            var mode = Directory.Exists(_target) ? File.GetUnixFileMode(_target) : (UnixFileMode?)null;
            NativePlace.Rename(_staging, _target); // an empty folder is replaced
            Undo(() =>
            {
                NativePlace.Rename(_target, _staging);
                if (mode is { } old)
                {
                    MakeFolder(_target, old);
                }
            });
        }
        else
        {
            var aside = $"{_target}.{_aside}";
            if (NativePlace.TryExchange(_staging, _target))
            {
                Undo(() => NativePlace.TryExchange(_staging, _target));
                NativePlace.Rename(_staging, aside);
                Undo(() => NativePlace.Rename(aside, _staging));
            }
            else
            {
                NativePlace.Rename(_target, aside);
                Undo(() => NativePlace.Rename(aside, _target));
                NativePlace.Rename(_staging, _target);
                Undo(() => NativePlace.Rename(_target, _staging));
            }
        }

        DurableFolder.Sync(parent);
    }

    private void Undo(Action action) => _undo.Push(() =>
    {
        action();
        return Task.CompletedTask;
    });

    private async Task UndoAsync()
    {
        while (_undo.TryPop(out var undo))
        {
            try
            {
                await undo();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or StateException or ProblemException)
            {
                Say($"This could not be undone: {exception.Message}");
            }
        }
    }

    private void Clean(List<PlacedFile> files, bool isDone)
    {
        try
        {
            File.Delete(RedisFile);
            foreach (var file in files.Where(static file => file.IsOutside && Directory.Exists(Path.GetDirectoryName(file.Staged))))
            {
                File.Delete(file.Staged);
            }

            foreach (var folder in Enumerable.Reverse(_made).Where(folder => !isDone && Directory.Exists(folder) && IsEmpty(folder)))
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
            Say($"This could not be removed: {exception.Message}");
        }
    }

    private void Say(string line) => _say(string.Concat(line.Select(static c => char.IsControl(c) ? '?' : c)));

    /// <summary>The blocks at the destination.</summary>
    /// <param name="Path">Their file.</param>
    /// <param name="All">Those of the file and of the backup, the later of each.</param>
    /// <param name="Newer">Those that the backup lacks.</param>
    private sealed record BlocksKept(string Path, SubjectBlocks All, IReadOnlyList<SubjectBlock> Newer);
}
