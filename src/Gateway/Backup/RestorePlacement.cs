#pragma warning disable CA1416 // the gateway runs on Linux
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Backup;

/// <summary>Puts what was unpacked in its place by names alone, and takes that back where a step fails.</summary>
internal sealed class RestorePlacement(
    RestoreOrder order,
    RestorePlace place,
    IReadOnlyDictionary<string, string> environment,
    Action<string> say,
    Action<RestoreStep> reached) : IAsyncDisposable
{
    private const UnixFileMode OwnersFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _target = place.Target;
    private readonly string _staging = place.Staging;
    private readonly string _mark = place.Mark;
    private readonly string _aside = place.Aside;
    private readonly Stack<Func<Task>> _undo = [];
    private RedisBackup? _redis;

    /// <summary>
    /// Writes the data of Redis beside its place, in the Redis that the restored configuration names.
    /// </summary>
    public async Task StageAsync(
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
        var options = ConfigurationLoader.Load(configuration, environment, Locate);
        if (!RedisBackup.IsNeeded(options))
        {
            throw new ProblemException(new Problem(
                order.Archive, "the backup has data of Redis, but its configuration names no Redis", null,
                "Set the GATEWAY__ variables that the gateway had when the backup was created."));
        }

        options.Redis!.CertificateAuthority = options.Redis.CertificateAuthority is { } authority
            ? Locate(authority)
            : null;
        _redis = new RedisBackup(options);
        if (await _redis.FindObstacleAsync(order.MayReplace, cancellationToken) is { } obstacle)
        {
            throw new ProblemException(obstacle);
        }

        _undo.Push(() => _redis.RemoveAsync(_mark + ":"));
        await using var input = File.OpenRead(place.RedisFile);
        await _redis.StageAsync(_mark + ":", input, cancellationToken);
    }

    /// <summary>Puts everything in its place.</summary>
    /// <remarks>
    /// Redis first: if this process is killed after it, no gateway can start on half of the backup, since its folder
    /// not there.
    /// </remarks>
    public async Task PlaceAsync(List<PlacedFile> files, CancellationToken cancellationToken)
    {
        if (_redis is not null)
        {
            var kept = await _redis.SwitchAsync(
                _mark + ":", _aside + ":", order.MayReplace, keepBlocks: true, cancellationToken);
            _undo.Push(() => _redis.SwitchAsync(
                _aside + ":", _mark + ":", mayReplace: true, keepBlocks: false, CancellationToken.None));
            if (kept.Count > 0)
            {
                say($"Kept newer blocks and unblocks from Redis, which the backup lacks: {string.Join(", ", kept)}");
            }

            reached(RestoreStep.RedisSwitched);
        }

        foreach (var file in files.Where(static file => file.IsOutside))
        {
            PlaceOutside(file);
        }

        reached(RestoreStep.OutsidePlaced);
        PlaceFolder();
        reached(RestoreStep.FolderPlaced);
    }

    /// <summary>Takes back what was done so far, the last first.</summary>
    public async Task UndoAsync()
    {
        while (_undo.TryPop(out var undo))
        {
            try
            {
                await undo();
            }
            catch (Exception exception)
                when (exception is IOException or UnauthorizedAccessException or StateException or ProblemException)
            {
                say($"This could not be undone: {exception.Message}");
            }
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

    private void PlaceOutside(PlacedFile file)
    {
        if (file.IsThere)
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
        if (!place.IsOccupied)
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
}
