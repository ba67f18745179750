using System.Globalization;
using System.Text;
using Gateway.Foundation.Files;

namespace Gateway.Server.Requests.Reloading;

/// <summary>Tells whether files changed, by polling rather than by change notices.</summary>
/// <remarks>
/// inotify sees neither a symlink swapped further up the path, which is how Kubernetes updates mounted files,
/// nor changes on most network file systems. A fingerprint costs one system call a file.
/// </remarks>
internal sealed class FileFingerprint : IEquatable<FileFingerprint>
{
    private readonly string _text;
    private readonly HashSet<string> _present;

    private FileFingerprint(string text, HashSet<string> present) => (_text, _present) = (text, present);

    /// <summary>
    /// A value that differs when a path leads to another file, when a file's content, owner or mode changes,
    /// or when a file comes or goes.
    /// </summary>
    public static FileFingerprint Of(IEnumerable<string> paths)
    {
        var text = new StringBuilder();
        var present = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            if (!Directory.Exists(path))
            {
                Append(text, present, path);
                continue;
            }

            try
            {
                foreach (var file in Directory.EnumerateFiles(path).Order(StringComparer.Ordinal))
                {
                    Append(text, present, file);
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The loader says why; that it can be read again is a change.
                text.Append(path).Append("|!").Append(exception.GetType().Name).Append('\n');
            }
        }

        return new FileFingerprint(text.ToString(), present);
    }

    /// <summary>Whether a file that is here is not there: it was removed, or is about to be replaced.</summary>
    public bool HasMoreThan(FileFingerprint other) => !_present.IsSubsetOf(other._present);

    /// <inheritdoc/>
    public bool Equals(FileFingerprint? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FileFingerprint);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_text);

    private static void Append(StringBuilder text, HashSet<string> present, string path)
    {
        text.Append(path).Append('|');
        var error = FileStatus.Read(path, out var status);
        if (error == 0)
        {
            // The inode tells a swapped link anywhere in the path, and a file renamed over another of the same age and
            // length. The time of the inode's change tells a chown or chmod that made a refused file readable, and
            // a write whose author set the time of the content back (rsync -t, cp -p, touch): nobody can set this one.
            text.Append(
                CultureInfo.InvariantCulture,
                $"{status.DeviceMajor}:{status.DeviceMinor}|{status.Inode}|{status.Size}");
            text.Append(CultureInfo.InvariantCulture, $"|{status.Modified}|{status.Changed}");
            present.Add(path);
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $"!{error}"); // a change as soon as it can be looked at
        }

        text.Append('\n');
    }
}
