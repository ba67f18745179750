using System.Globalization;
using Gateway.Foundation.Configuration;

namespace Gateway.Backup;

/// <summary>
/// Works out where each file of a backup goes, and refuses what must not be restored there. It changes nothing.
/// </summary>
internal sealed class RestorePlan(RestoreOrder order, RestorePlace place)
{
    private readonly RestoreOrder _order = order;
    private readonly string _target = place.Target;
    private readonly string _staging = place.Staging;
    private readonly string _mark = place.Mark;
    private readonly string _aside = place.Aside;

    /// <summary>The files, each with its place.</summary>
    public List<PlacedFile> Files(BackupManifest manifest)
    {
        var files = new List<PlacedFile>();
        foreach (var entry in manifest.Entries)
        {
            var path = entry.Path == manifest.Configuration ? _order.ConfigurationName ?? entry.Path : entry.Path;
            files.Add(ArchivePath.IsAbsolute(path)
                ? new PlacedFile(
                    entry, path, Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{_mark}"))
                : new PlacedFile(entry, Path.Combine(_target, path), Path.Combine(_staging, path)));
        }

        return files;
    }

    /// <summary>Refuses what must not be restored.</summary>
    /// <exception cref="ProblemException">It must not be; every reason is in it.</exception>
    public void Check(BackupManifest manifest, List<PlacedFile> files)
    {
        var problems = new List<Problem>();
        if (_order.ConfigurationName is { } name
            && (!ArchivePath.IsSafe(name) || name.Contains('/', StringComparison.Ordinal)
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
            problems.AddRange(
                outside.Where(file => !_order.MayReplace && file.IsAnotherThere).Select(static file => new Problem(
                file.Path, "another file exists there already", null,
                "Move it away, or give --force to move it aside.")));
        }

        CheckTarget(problems);
        CheckSpace(manifest, problems);
        if (problems.Count > 0)
        {
            throw new ProblemException(problems);
        }

        CheckRunning(manifest);
    }

    /// <summary>Refuses to restore what a running gateway uses.</summary>
    /// <exception cref="ProblemException">One runs.</exception>
    public void CheckRunning(BackupManifest manifest)
    {
        var state = ArchivePath.IsAbsolute(manifest.StateFolder)
            ? manifest.StateFolder
            : Path.Combine(_target, manifest.StateFolder);
        if ((RunningGateway.Find(state) ?? RunningGateway.FindBelow(_target)) is { } running)
        {
            throw new ProblemException(running);
        }
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
            problems.Add(
                new Problem(
                    _target, "the folder around it does not exist", Path.GetDirectoryName(_target),
                    "Create it first."));
        }
        else if (place.IsOccupied && !_order.MayReplace)
        {
            problems.Add(new Problem(
                _target, "the folder is not empty", null,
                $"Name another folder, or give --force to move it aside, to {_target}.{_aside}."));
        }
    }

    private void CheckSpace(BackupManifest manifest, List<Problem> problems)
    {
        if (Path.GetDirectoryName(_target) is not { } parent || !Directory.Exists(parent))
        {
            return;
        }

        var size = manifest.All.Sum(static entry => entry.Size);
        var free = new DriveInfo(parent).AvailableFreeSpace;
        if (free < size)
        {
            problems.Add(new Problem(
                _target, string.Create(CultureInfo.InvariantCulture, $"the backup needs {size} bytes"),
                string.Create(CultureInfo.InvariantCulture, $"{free} free"), "Free some space there."));
        }
    }
}
