using System.Globalization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Backup;

/// <summary>
/// Restores a backup: verifies all of it, unpacks it beside its destination, then renames it into place.
/// </summary>
internal sealed class RestoreJob
{
    private readonly RestoreOrder _order;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly Action<string> _say;
    private readonly RestorePlace _place;
    private readonly string _target;
    private readonly string _aside;

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
        _place = RestorePlace.Choose(order, time);
        _target = _place.Target;
        _aside = _place.Aside;
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
            (manifest, entry) => entry.Path == BlocksKept.PathOf(manifest) ? archived : null, cancellationToken);
        var plan = new RestorePlan(_order, _place);
        var files = plan.Files(manifest);
        plan.Check(manifest, files);
        var blocks = BlocksKept.Find(_order, _target, manifest, archived.ToArray());
        Announce(manifest, files);
        Announce(manifest, blocks);
        Reached(RestoreStep.Verified);
        if (_order.IsDryRun)
        {
            return;
        }

        var staging = new RestoreStaging(_order, _place, Say);
        await using var placement = new RestorePlacement(_order, _place, _environment, Say, Reached);
        var isDone = false;
        try
        {
            staging.Unpack(reader, manifest, files, cancellationToken);
            staging.KeepBlocks(manifest, files, blocks);
            Reached(RestoreStep.Unpacked);
            await placement.StageAsync(manifest, files, cancellationToken);
            Reached(RestoreStep.Staged);
            plan.CheckRunning(manifest);
            await placement.PlaceAsync(files, cancellationToken);
            isDone = true;
        }
        catch (Exception exception)
        {
            await placement.UndoAsync();
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
            staging.Clean(files, isDone);
        }

        if (isDone)
        {
            Say("Restored. Check it with \"gateway config check\", then start the gateway.");
        }
    }

    private void Announce(BackupManifest manifest, List<PlacedFile> files)
    {
        var (restores, moves) = _order.IsDryRun ? ("Would restore", "Would move aside") : ("Restoring", "Moving aside");
        Say(string.Create(
            CultureInfo.InvariantCulture,
            $"The backup is complete: created {manifest.CreatedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC by "
                + $"version {manifest.Gateway}, {manifest.Entries.Count} files, tokens in {manifest.Store}."));
        if (_place.IsOccupied)
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
                + $"{block.Subject} {(block.LiftedAt is null ? "is blocked" : "is no longer blocked")}, which the "
                + "backup lacks");
        }

        if (blocks is null)
        {
            var last = string.Create(
                CultureInfo.InvariantCulture, $"{manifest.CreatedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
            Say($"{Path.Combine(_target, BlocksKept.PathOf(manifest))} does not exist, so it is not known here who "
                + $"was blocked or unblocked after {last}{(manifest.Redis is null ? "" : ", except in Redis")}. Find "
                + "that in the audit trail (\"block\", \"unblock\"), and repeat it before the gateway starts.");
        }
    }

    private void Say(string line) => _say(string.Concat(line.Select(static c => char.IsControl(c) ? '?' : c)));
}
