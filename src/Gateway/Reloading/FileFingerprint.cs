using System.Globalization;
using System.Text;

namespace Gateway.Reloading;

/// <summary>Tells whether files changed, by polling rather than by change notices.</summary>
/// <remarks>
/// inotify sees neither a symlink swapped further up the path, which is how Kubernetes updates mounted files,
/// nor changes on most network file systems. A fingerprint costs one system call a file.
/// </remarks>
internal static class FileFingerprint
{
    /// <summary>
    /// A text that differs when a path leads to another file, when a file's content, owner or mode changes,
    /// or when a file comes or goes.
    /// </summary>
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
        var error = FileStatus.Read(path, out var status);
        if (error == 0)
        {
            // The inode tells a swapped link anywhere in the path, and a file renamed over another of the same age and
            // length. The time of the inode's change tells a chown or chmod that made a refused file readable.
            text.Append(
                CultureInfo.InvariantCulture,
                $"{status.DeviceMajor}:{status.DeviceMinor}|{status.Inode}|{status.Size}");
            text.Append(CultureInfo.InvariantCulture, $"|{status.Modified}|{status.Changed}");
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $"!{error}"); // a change as soon as it can be looked at
        }

        text.Append('\n');
    }
}
