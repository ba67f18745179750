using System.Runtime.InteropServices;

namespace Gateway.Keys;

/// <summary>
/// Gives a new file to whom its folder belongs: the gateway must be able to read keys that were made as root.
/// </summary>
internal static unsafe partial class FileOwner
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const uint UserAndGroup = 0x18; // STATX_UID | STATX_GID

    /// <summary>Does nothing for who is not root, and where it is not possible.</summary>
    /// <remarks>Never to what a link leads to: the owner of the folder may have put one in the place of the file.</remarks>
    public static void TakeFromFolder(string path, string folder)
    {
        StatX status;
        if (Environment.IsPrivilegedProcess && Status(CurrentFolder, folder, 0, UserAndGroup, &status) == 0)
        {
            _ = ChOwnOfLink(path, status.User, status.Group);
        }
    }

    // statx(2) rather than stat(2): its layout is the same on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatX
    {
        [FieldOffset(20)]
        public uint User;

        [FieldOffset(24)]
        public uint Group;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(int folder, string path, int flags, uint mask, StatX* status);

    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChOwnOfLink(string path, uint user, uint group);
}
