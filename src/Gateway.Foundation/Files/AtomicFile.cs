#pragma warning disable CA1416 // the gateway runs on Linux
using System.Runtime.InteropServices;
using Gateway.Foundation.Configuration;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Foundation.Files;

/// <summary>
/// Changes a file so that after a crash or a power cut, and for every reader, it has the old content or the new one.
/// </summary>
/// <remarks>
/// The lock is on the folder: it leaves nothing behind, ends with the process that held it, and, unlike one on the
/// file, is not lost when the file is replaced.
/// </remarks>
internal static partial class AtomicFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode ModeOfNewFiles = OwnerOnly | UnixFileMode.GroupRead; // the gateway's group reads it

    /// <summary>Reads, changes and replaces a file; owner, group and mode stay.</summary>
    /// <param name="path">The file; if it is a symbolic link, its target is changed.</param>
    /// <param name="read">Reads the file, or returns <see langword="null"/> if there is none.</param>
    /// <param name="edit">
    /// Creates the new content, or returns <see langword="null"/> to leave the file unchanged.
    /// </param>
    /// <param name="modeOfNewFiles">The mode of a new file.</param>
    /// <param name="patience">How long to wait for the folder's lock; without limit unless given.</param>
    /// <exception cref="ProblemException">The folder is missing or locked, or may not be written.</exception>
    public static void Edit(
        string path,
        Func<string, byte[]?> read,
        Func<byte[]?, byte[]?> edit,
        UnixFileMode modeOfNewFiles = ModeOfNewFiles,
        TimeSpan? patience = null)
    {
        try
        {
            var file = new FileInfo(path);
            var target = file.LinkTarget is null
                ? file.FullName
                : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
            var folder = Path.GetDirectoryName(target)!;
            using var folderHandle = LockFolder(path, folder, patience);
            var oldContent = read(target);
            if (edit(oldContent) is { } content)
            {
                Replace(target, content, like: oldContent is null ? null : target, modeOfNewFiles);
            }
        }
        catch (UnauthorizedAccessException)
        {
            throw new ProblemException(new Problem(
                path, "no permission to change the file", null,
                "Run as its owner; the folder must be writable as well."));
        }
        catch (IOException exception)
        {
            throw new ProblemException(new Problem(
                path,
                "the file cannot be changed",
                exception.Message,
                "Check that the disk has space, and that the file is not itself a mount point (mount its folder)."));
        }
    }

    /// <summary>Writes a file that nobody else writes at the same time, and replaces an existing one.</summary>
    /// <param name="path">The file; no link.</param>
    /// <param name="content">Its new content.</param>
    /// <param name="mode">Its mode, whatever the process's mask.</param>
    /// <exception cref="IOException">The disk is full, for example.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode) =>
        Write(
            path, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp", content,
            file => File.SetUnixFileMode(file, mode));

    /// <summary>Replaces a file of a folder whose lock the caller holds.</summary>
    /// <param name="target">The file; no link.</param>
    /// <param name="content">Its new content.</param>
    /// <param name="like">
    /// The file whose owner, group and mode it gets; <see langword="null"/>: the process's own.
    /// </param>
    /// <param name="modeOfNewFiles">The mode if there is no such file.</param>
    /// <exception cref="IOException">The disk is full, for example.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written, or the owner not set.</exception>
    public static void Replace(
        string target, ReadOnlySpan<byte> content, string? like, UnixFileMode modeOfNewFiles = ModeOfNewFiles) =>
        Write(target, LockedName(target), content, file =>
        {
            if (like is not null && FileOwner.Read(like)?.Give(file) != true)
            {
                throw new UnauthorizedAccessException();
            }

            File.SetUnixFileMode(file, like is null ? modeOfNewFiles : File.GetUnixFileMode(like));
        });

    /// <summary>
    /// Replaces a file of a folder whose lock the caller holds; a file written by root gets the folder's owner.
    /// </summary>
    /// <inheritdoc cref="Write(string, ReadOnlySpan{byte}, UnixFileMode)"/>
    public static void ReplaceInFolder(string path, ReadOnlySpan<byte> content, UnixFileMode mode) =>
        Write(path, LockedName(path), content, file =>
        {
            if (Environment.IsPrivilegedProcess)
            {
                _ = FileOwner.Read(Path.GetDirectoryName(path)!)?.Give(file); // if the file system supports it
            }

            File.SetUnixFileMode(file, mode);
        });

    private static string LockedName(string path) => $".{Path.GetFileName(path)}.tmp";

    private static void Write(string path, string name, ReadOnlySpan<byte> content, Action<SafeFileHandle> prepare)
    {
        var temporary = Path.Combine(Path.GetDirectoryName(path)!, name);
        File.Delete(temporary); // left by a killed process, under a name that belongs to the holder of the lock
        try
        {
            // Nobody else may read a secret, not even for the moment before owner and mode are set.
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerOnly,
            };
            using (var file = new FileStream(temporary, options))
            {
                file.Write(content);
                prepare(file.SafeFileHandle);
                // before the rename, or a power cut could leave the new name on empty content
                file.Flush(flushToDisk: true);
            }

            DurableFolder.Move(temporary, path); // a removed user stays removed after a power cut
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static SafeFileHandle LockFolder(string path, string folder, TimeSpan? patience)
    {
        const int closeOnExec = 0x80000; // O_CLOEXEC; read-only is 0
        const int exclusive = 2; // LOCK_EX
        const int atOnce = 4; // LOCK_NB
        const int interrupted = 4; // EINTR
        const int taken = 11; // EWOULDBLOCK
        var handle = Open(folder, closeOnExec);
        if (handle.IsInvalid)
        {
            throw new ProblemException(Directory.Exists(folder)
                ? new Problem(path, "no permission to read the folder", folder, "Run as its owner.")
                : new Problem(path, "no such folder", folder, "Create it, or correct the path."));
        }

        var began = TimeProvider.System.GetTimestamp();
        while (FLock(handle, patience is null ? exclusive : exclusive | atOnce) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error == taken && TimeProvider.System.GetElapsedTime(began) < patience)
            {
                Thread.Sleep(10);
            }
            else if (error != interrupted)
            {
                handle.Dispose();
                throw error == taken
                    ? new ProblemException(new Problem(
                        path, "another process has locked its folder", folder,
                        "Find the process with lslocks, and stop it."))
                    : new IOException("the folder cannot be locked: " + Marshal.GetPInvokeErrorMessage(error));
            }
        }

        return handle;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int FLock(SafeFileHandle file, int operation);
}
