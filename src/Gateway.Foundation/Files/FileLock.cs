#pragma warning disable CA1416 // the gateway runs on Linux
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Foundation.Files;

/// <summary>
/// Locks on parts of files, which other processes of the machine see, including those in other containers.
/// </summary>
/// <remarks>
/// Locks of fcntl(2) that belong to the open file (F_OFD_…). Not flock(2): .NET takes a shared one on every file that
/// it reads, so that any reader would look like a holder. For the same reason .NET does not open the file: a process
/// that has locked all of it, such as flock(1) around an edit, and this class must not block each other.
/// </remarks>
internal static unsafe partial class FileLock
{
    private const int GetLock = 36; // F_OFD_GETLK
    private const int SetLock = 37; // F_OFD_SETLK
    private const short Read = 0, Write = 1, None = 2; // F_RDLCK, F_WRLCK, F_UNLCK

    /// <summary>
    /// Holds a part of a file together with others, until the handle is closed. The file may be shorter.
    /// </summary>
    /// <returns><see langword="null"/> if the file cannot be opened, or its file system has no locks.</returns>
    public static SafeFileHandle? TryShare(string path, long start, long length)
    {
        SafeFileHandle file;
        try
        {
            file = Open(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        var range = new LockRange { Type = Read, Start = start, Length = length };
        if (FCntl(file, SetLock, &range) == 0)
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    /// <summary>Whether another process, or another part of this one, holds a lock on a part of a file.</summary>
    /// <remarks>
    /// Closing the descriptor that this uses drops the locks that this process has on the file by fcntl(2)'s older
    /// calls, such as SQLite's: never use it for a database that is open in this process.
    /// </remarks>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static bool IsHeld(string path, long start, long length)
    {
        using var file = Open(path);
        var range = new LockRange { Type = Write, Start = start, Length = length }; // it conflicts with any lock
        return FCntl(file, GetLock, &range) == 0 && range.Type != None;
    }

    private static SafeFileHandle Open(string path)
    {
        // O_CLOEXEC; O_NONBLOCK, since a pipe would wait for a writer; read-only is 0
        const int flags = 0x80000 | 0x800;
        const int accessDenied = 13; // EACCES
        var file = Open(path, flags);
        if (!file.IsInvalid)
        {
            return file;
        }

        var error = Marshal.GetLastPInvokeError();
        file.Dispose();
        var message = $"{path}: {Marshal.GetPInvokeErrorMessage(error)}";
        throw error == accessDenied ? new UnauthorizedAccessException(message) : new IOException(message);
    }

    // struct flock of 64-bit Linux
    [StructLayout(LayoutKind.Sequential)]
    private struct LockRange
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int Process;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FCntl(SafeFileHandle file, int command, LockRange* range);
}
