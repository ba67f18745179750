using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Server.Records.Audit;

/// <summary>
/// The few calls of the system that an append-only file shared by processes needs, and .NET does not offer.
/// </summary>
internal static unsafe partial class NativeFile
{
    private const int WriteOnly = 1, Create = 0x40, Append = 0x400, CloseOnExec = 0x80000; // O_*
    private const int OwnerOnly = 0x180; // 0600
    // EINTR, EINVAL, EFBIG, ENOSPC, EDQUOT
    private const int Interrupted = 4, Invalid = 22, TooLarge = 27, NoSpace = 28, OverQuota = 122;
    private const int KeepSize = 1; // FALLOC_FL_KEEP_SIZE

    /// <summary>Opens a file for appending; it is made, for its owner only, where it is missing.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static SafeFileHandle OpenForAppend(string path)
    {
        var handle = Open(path, WriteOnly | Create | Append | CloseOnExec, OwnerOnly);
        if (handle.IsInvalid)
        {
            var error = Marshal.GetLastPInvokeError();
            handle.Dispose();
            throw Failure("cannot be opened", error);
        }

        return handle;
    }

    /// <summary>Opens a file as far as it exists, to see whether it could be appended to.</summary>
    /// <returns>What the system says against it, or <see langword="null"/>.</returns>
    public static string? FindObstacle(string path)
    {
        using var handle = Open(path, WriteOnly | Append | CloseOnExec, 0);
        return handle.IsInvalid ? Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()) : null;
    }

    /// <summary>Whether files can be made in a folder.</summary>
    public static bool CanWriteTo(string folder) => Access(folder, 3) == 0; // W_OK | X_OK

    /// <summary>
    /// Takes the file for this handle until <see cref="Unlock"/>; waits for others, of this process too.
    /// </summary>
    /// <remarks>
    /// A lock of fcntl(2) that belongs to the open file (F_OFD_SETLKW). Not flock(2): .NET takes one of those, shared,
    /// on every file that it reads, and a reader of the trail would keep the gateway from writing it.
    /// </remarks>
    public static void Lock(SafeFileHandle file)
    {
        var range = new LockRange { Type = 1 }; // F_WRLCK, from the first byte to the end
        while (FCntl(file, 38, ref range) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error != Interrupted)
            {
                throw Failure("cannot be locked", error);
            }
        }
    }

    /// <summary>Gives the file back.</summary>
    public static void Unlock(SafeFileHandle file)
    {
        var range = new LockRange { Type = 2 }; // F_UNLCK
        _ = FCntl(file, 38, ref range);
    }

    /// <summary>Writes everything, or throws; what was written by then stays.</summary>
    public static void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            var written = 0;
            while (written < bytes.Length)
            {
                var count = Write(file, start + written, bytes.Length - written);
                if (count > 0)
                {
                    written += (int)count;
                    continue;
                }

                var error = Marshal.GetLastPInvokeError();
                if (error != Interrupted)
                {
                    throw Failure("cannot be written", error);
                }
            }
        }
    }

    /// <summary>Sets space of the disk aside behind a file's end, without making it longer.</summary>
    /// <returns>
    /// <see langword="false"/> where there is none left; <see langword="true"/> also where the file system cannot tell.
    /// </returns>
    public static bool TrySetAside(SafeFileHandle file, long start, long length)
    {
        while (FAllocate(file, KeepSize, start, length) != 0)
        {
            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    break;
                case NoSpace or OverQuota or TooLarge:
                    return false;
                default:
                    return true; // a device, or a file system without this
            }
        }

        return true;
    }

    /// <summary>Gives a file another name, or throws and has done nothing.</summary>
    /// <remarks>
    /// Not File.Move: where it cannot rename, as with a file that is mounted, that leaves a copy behind.
    /// </remarks>
    public static void Move(string from, string to)
    {
        if (Rename(from, to) != 0)
        {
            throw Failure("cannot be renamed", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Cuts a file.</summary>
    public static bool TryTruncate(SafeFileHandle file, long length) => FTruncate(file, length) == 0;

    /// <summary>Has the file's content, or a folder's names, stored by the disk.</summary>
    public static void Sync(SafeFileHandle file)
    {
        if (FDataSync(file) == 0)
        {
            return;
        }

        var error = Marshal.GetLastPInvokeError();
        if (error != Invalid) // a device has no disk
        {
            throw Failure("cannot be stored on the disk", error);
        }
    }

    // struct flock of the 64-bit architectures.
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    private struct LockRange
    {
        [FieldOffset(0)]
        public short Type;

        [FieldOffset(2)]
        public short Whence;

        [FieldOffset(8)]
        public long Start;

        [FieldOffset(16)]
        public long Length;

        [FieldOffset(24)]
        public int Process;
    }

    private static IOException Failure(string what, int error) =>
        new($"it {what}: {Marshal.GetPInvokeErrorMessage(error)}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int FCntl(SafeFileHandle file, int command, ref LockRange range);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, byte* bytes, nint length);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int FTruncate(SafeFileHandle file, long length);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int FAllocate(SafeFileHandle file, int mode, long start, long length);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FDataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int FSync(SafeFileHandle file);
}
