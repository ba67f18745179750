using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// Changes single lines of an htpasswd file; all others, right or wrong, stay the same to the byte, except that the
/// last one gets the line break that it lacks.
/// </summary>
/// <remarks>
/// It checks no more of the other lines, since setting a password again is the fix for a line that is refused.
/// </remarks>
internal static class HtpasswdEditor
{
    /// <summary>Adds a user or changes their password; creates the file where there is none.</summary>
    /// <returns>Whether the user is new.</returns>
    /// <exception cref="ProblemException">The file cannot be read or written.</exception>
    public static bool Set(string path, string userName, string hash)
    {
        var isNew = true;
        AtomicFile.Edit(path, HtpasswdFile.ReadContent, content =>
        {
            var edited = new MemoryStream();
            ReadOnlySpan<byte> rest = content;
            while (!rest.IsEmpty)
            {
                var line = HtpasswdFile.NextLine(ref rest);
                if (!IsFor(line, userName))
                {
                    edited.Write(line);
                }
                else if (isNew) // a second line of the same user goes: which password would apply?
                {
                    isNew = false;
                    edited.Write(Encoding.ASCII.GetBytes($"{userName}:{hash}"));
                    edited.Write(LineBreakOf(line));
                }
            }

            EndLine(edited);
            if (isNew)
            {
                edited.Write(Encoding.ASCII.GetBytes($"{userName}:{hash}\n"));
            }

            RemovedUsers.Forget(path, userName, TimeProvider.System.GetUtcNow());
            return edited.ToArray();
        });
        return isNew;
    }

    /// <summary>Removes every line of a user.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="ProblemException">There is no such file, or it cannot be read or written.</exception>
    public static bool Remove(string path, string userName)
    {
        var isFound = false;
        AtomicFile.Edit(path, HtpasswdFile.ReadContent, content =>
        {
            var edited = new MemoryStream();
            ReadOnlySpan<byte> rest = content ?? throw new ProblemException(HtpasswdFile.NoSuchFile(path));
            while (!rest.IsEmpty)
            {
                var line = HtpasswdFile.NextLine(ref rest);
                if (IsFor(line, userName))
                {
                    isFound = true;
                }
                else
                {
                    edited.Write(line);
                }
            }

            if (!isFound)
            {
                return null;
            }

            EndLine(edited);
            RemovedUsers.Add(path, userName, TimeProvider.System.GetUtcNow());
            return edited.ToArray();
        });
        return isFound;
    }

    // A running gateway treats a file whose last line is open as cut off.
    private static void EndLine(MemoryStream edited)
    {
        if (edited.Length > 0 && edited.GetBuffer()[edited.Length - 1] != '\n')
        {
            edited.WriteByte((byte)'\n');
        }
    }

    private static bool IsFor(ReadOnlySpan<byte> line, string userName) =>
        line.Length > userName.Length
        && line[userName.Length] == ':'
        && Ascii.Equals(line[..userName.Length], userName);

    private static ReadOnlySpan<byte> LineBreakOf(ReadOnlySpan<byte> line) =>
        line.EndsWith("\r\n"u8) ? "\r\n"u8 : "\n"u8;
}
