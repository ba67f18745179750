namespace Gateway.Backup;

/// <summary>The names that files have in an archive.</summary>
/// <remarks>
/// <c>files/…</c> is for files below the configuration's folder, <c>absolute/…</c> for files elsewhere, and
/// <c>redis.jsonl</c> for the data in Redis.
/// </remarks>
internal static class ArchivePath
{
    /// <summary>The manifest.</summary>
    public const string Manifest = "manifest.json";

    /// <summary>The hash of the manifest, the last file.</summary>
    public const string ManifestHash = "manifest.sha256";

    private const int Longest = 4096;

    /// <summary>The name of an entry.</summary>
    public static string NameOf(BackupManifest manifest, BackupEntry entry) =>
        ReferenceEquals(entry, manifest.Redis) ? RedisBackup.FileName
        : IsAbsolute(entry.Path) ? "absolute" + entry.Path
        : "files/" + entry.Path;

    /// <summary>Whether it is outside the configuration's folder.</summary>
    public static bool IsAbsolute(string path) => path.StartsWith('/');

    /// <summary>Whether a path is plain: no empty, <c>.</c> or <c>..</c> segments, and no control characters.</summary>
    public static bool IsSafe(string path)
    {
        var relative = IsAbsolute(path) ? path[1..] : path;
        return relative.Length is > 0 and < Longest
            && !relative.Any(static c => char.IsControl(c) || c == '\\')
            && relative.Split('/').All(static segment => segment is not ("" or "." or ".."));
    }

    /// <summary>The path of a file as in the manifest.</summary>
    /// <param name="folder">The configuration's folder.</param>
    /// <param name="path">Absolute.</param>
    public static string Within(string folder, string path) =>
        path == folder ? ""
        : path.StartsWith(folder == "/" ? folder : folder + "/", StringComparison.Ordinal)
        ? path[(folder == "/" ? 1 : folder.Length + 1)..]
        : path;
}
