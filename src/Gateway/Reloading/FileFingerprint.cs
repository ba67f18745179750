using System.Globalization;
using System.Text;

namespace Gateway.Reloading;

/// <summary>Tells whether files changed, by polling rather than by change notices.</summary>
/// <remarks>
/// inotify sees neither a symlink swapped further up the path, which is how Kubernetes updates mounted files,
/// nor changes on most network file systems. A fingerprint costs a few system calls a file.
/// </remarks>
internal static class FileFingerprint
{
    /// <summary>A text that differs when a file's target, length or time of change does, or a file comes or goes.</summary>
    public static string Of(IEnumerable<string> paths)
    {
        var text = new StringBuilder();
        foreach (var path in paths)
        {
            if (Directory.Exists(path))
            {
                foreach (var file in Directory.EnumerateFiles(path).Order(StringComparer.Ordinal))
                {
                    Append(text, file);
                }
            }
            else
            {
                Append(text, path);
            }
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, string path)
    {
        text.Append(path).Append('|');
        try
        {
            var info = new FileInfo(path);
            if (info.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target)
            {
                text.Append(target.FullName).Append('|');
                info = target;
            }

            if (info.Exists)
            {
                text.Append(CultureInfo.InvariantCulture, $"{info.Length}|{info.LastWriteTimeUtc.Ticks}");
            }
        }
        catch (IOException)
        {
            text.Append('!'); // unreadable now: a change as soon as it becomes readable
        }
        catch (UnauthorizedAccessException)
        {
            text.Append('!');
        }

        text.Append('\n');
    }
}
