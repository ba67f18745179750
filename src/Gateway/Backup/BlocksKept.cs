using Gateway.Server.Store.State;

namespace Gateway.Backup;

/// <summary>The blocks at the destination.</summary>
/// <param name="Path">Their file.</param>
/// <param name="All">Those of the file and of the backup, the later of each.</param>
/// <param name="Newer">Those that the backup lacks.</param>
internal sealed record BlocksKept(string Path, SubjectBlocks All, IReadOnlyList<SubjectBlock> Newer)
{
    /// <summary>Where a gateway keeps who is blocked, as the archive names it.</summary>
    public static string PathOf(BackupManifest manifest) => manifest.StateFolder.Length == 0
        ? BlockFile.FileName
        : $"{manifest.StateFolder}/{BlockFile.FileName}";

    /// <summary>Finds who is blocked; <see langword="null"/> where nothing there tells.</summary>
    /// <remarks>A backup is older than the current state, and must not unblock anyone who was blocked since.</remarks>
    public static BlocksKept? Find(RestoreOrder order, string target, BackupManifest manifest, byte[] archived)
    {
        var path = System.IO.Path.Combine(target, PathOf(manifest)); // an absolute path stays absolute
        if (BlockFile.Read(path) is not { } known)
        {
            return null;
        }

        var old = archived.Length > 0
            ? BlockFile.Parse(order.Archive, System.Text.Encoding.UTF8.GetString(archived))
            : SubjectBlocks.None;
        return new BlocksKept(path, old.With(known.All), known.Beyond(old));
    }
}
