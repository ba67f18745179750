#pragma warning disable CA1416 // the gateway runs on Linux
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Backup;

/// <summary>The few calls of the system that putting files into place needs, and .NET does not offer.</summary>
internal static unsafe partial class NativePlace
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const int ExchangeNames = 2; // RENAME_EXCHANGE
    private const int GetLock = 36; // F_OFD_GETLK

    /// <summary>Exchanges two names in one step.</summary>
    /// <returns><see langword="false"/> where the file system cannot do that; nothing is changed then.</returns>
    public static bool TryExchange(string first, string second) =>
        RenameAt2(CurrentFolder, first, CurrentFolder, second, ExchangeNames) == 0;

    /// <summary>Gives a file or folder another name, or throws and has done nothing. An empty folder is replaced.</summary>
    /// <exception cref="IOException">It cannot be done.</exception>
    public static void Rename(string from, string to)
    {
        if (RenameFile(from, to) != 0)
        {
            throw new IOException(
                $"{to}: it cannot be put there: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }
    }

    /// <summary>Whether another process, or another part of this one, holds a lock on a part of a file.</summary>
    public static bool IsLocked(string path, long start, long length)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var range = new LockRange { Type = 1, Start = start, Length = length }; // F_WRLCK: any lock stands against it
        return FCntl(file, GetLock, &range) == 0 && range.Type != 2; // F_UNLCK: nothing does
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

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameFile(string from, string to);

    [LibraryImport("libc", EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int fromFolder, string from, int toFolder, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FCntl(SafeFileHandle file, int command, LockRange* range);
}
