using System.Globalization;
using System.Security.Cryptography;

namespace Gateway.Backup;

/// <summary>Where a backup is restored to, and what is called what meanwhile.</summary>
/// <param name="Target">The folder that the configuration's folder becomes, absolute.</param>
/// <param name="Mark">Names what is not in its place yet.</param>
/// <param name="Aside">Names what was there before.</param>
internal sealed record RestorePlace(string Target, string Mark, string Aside)
{
    /// <summary>The folder beside the target that becomes it.</summary>
    public string Staging { get; } = Path.Combine(
        Path.GetDirectoryName(Target) ?? "/", $".{Path.GetFileName(Target)}.{Mark}");

    /// <summary>The file beside the target with the data of Redis.</summary>
    public string RedisFile => Staging + ".jsonl";

    /// <summary>Whether something is in the target.</summary>
    public bool IsOccupied => Directory.Exists(Target) && !IsEmpty(Target);

    /// <summary>Chooses the names for one restore.</summary>
    public static RestorePlace Choose(RestoreOrder order, TimeProvider time) => new(
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(order.Target)),
        "restore-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)),
        "before-restore-" + time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture));

    /// <summary>Whether nothing is in a folder.</summary>
    public static bool IsEmpty(string folder) => !Directory.EnumerateFileSystemEntries(folder).Any();
}
