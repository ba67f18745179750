using System.Globalization;
using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// The users whom <c>gateway user remove</c> removed lately: one <c>TIME NAME</c> per line in a file beside it, so that
/// every gateway that reads the user file, on whatever machine, knows that they were meant to go.
/// </summary>
/// <remarks>
/// It only keeps a smaller file from being held back, name by name, and only those who may write the user file may
/// write it. What cannot be read there names nobody.
/// </remarks>
internal static class RemovedUsers
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    private const int LargestFile = 1024 * 1024;

    // Gateways look twice a second. One that is down reads whatever is there at its start.
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(1);

    /// <summary>
    /// Where they are noted: as the user file's links say, so that a mounted folder of links has its own.
    /// </summary>
    public static string PathOf(string file)
    {
        var info = new FileInfo(file);
        var target = info.LinkTarget is null
            ? info.FullName
            : info.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
        return Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.removed");
    }

    /// <summary>Those who were removed within the last day.</summary>
    public static HashSet<string> Read(string file, DateTimeOffset now) =>
        [.. ReadEntries(file, now).Select(static entry => entry.Name)];

    /// <summary>Notes a user who is about to be removed. The caller holds the lock on the folder.</summary>
    /// <param name="file">The user file.</param>
    /// <param name="name">The user, a valid name.</param>
    /// <param name="now">The present.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Permission is missing.</exception>
    public static void Add(string file, string name, DateTimeOffset now) =>
        Write(file, ReadEntries(file, now).Where(entry => entry.Name != name).Append((now, name)));

    /// <summary>Forgets a name that is a user again. Otherwise like <see cref="Add"/>.</summary>
    public static void Forget(string file, string name, DateTimeOffset now)
    {
        var entries = ReadEntries(file, now).ToList();
        if (entries.RemoveAll(entry => entry.Name == name) > 0)
        {
            Write(file, entries);
        }
    }

    private static void Write(string file, IEnumerable<(DateTimeOffset At, string Name)> entries)
    {
        var text = new StringBuilder();
        foreach (var (at, name) in entries)
        {
            text.Append(at.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture))
                .Append(' ')
                .Append(name)
                .Append('\n');
        }

        // the gateway reads both
        AtomicFile.Replace(PathOf(file), Encoding.ASCII.GetBytes(text.ToString()), like: file);
    }

    private static IEnumerable<(DateTimeOffset At, string Name)> ReadEntries(string file, DateTimeOffset now)
    {
        foreach (var line in (SettingFile.TryRead(PathOf(file), LargestFile, out _) ?? "").Split('\n'))
        {
            if (line.Split(' ') is [var time, var name]
                && UserName.IsValid(name)
                && DateTimeOffset.TryParseExact(
                    time, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
                && at > now - Remembered)
            {
                yield return (at, name);
            }
        }
    }
}
