using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gateway.State.Sqlite;

/// <summary>Who owns a file, by the numbers of user and group.</summary>
internal readonly partial record struct FileOwner(uint User, uint Group)
{
    /// <summary>The owner of a file or folder; <see langword="null"/> where it cannot be told.</summary>
    public static FileOwner? Read(string path)
    {
        const int currentFolder = -100; // AT_FDCWD
        const uint userAndGroup = 0x18; // STATX_UID | STATX_GID
        return Status(currentFolder, path, 0, userAndGroup, out var status) == 0
            ? new FileOwner(status.User, status.Group)
            : null;
    }

    /// <summary>Makes it the owner of an open file, where that is allowed.</summary>
    public void Give(SafeFileHandle file) => _ = ChangeOwner(file, User, Group);

    // statx(2) rather than stat(2): its layout is the same on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatX
    {
        [FieldOffset(20)]
        public uint User;

        [FieldOffset(24)]
        public uint Group;
    }

    [LibraryImport("libc", EntryPoint = "fchown")]
    private static partial int ChangeOwner(SafeFileHandle file, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(int folder, string path, int flags, uint mask, out StatX status);
}
