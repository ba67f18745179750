using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Foundation.Files;

/// <summary>The owner of a file, by the numbers of user and group.</summary>
internal readonly partial record struct FileOwner(uint User, uint Group)
{
    /// <summary>The owner of a file or folder; <see langword="null"/> if it cannot be determined.</summary>
    public static FileOwner? Read(string path) =>
        FileStatus.Read(path, out var status) == 0 ? new FileOwner(status.User, status.Group) : null;

    /// <summary>
    /// Gives a new file to the owner of its folder: the gateway must be able to read what root created. Does nothing
    /// for other users than root, and where it is not possible.
    /// </summary>
    /// <remarks>Links are not followed: the folder's owner may have replaced the file by one.</remarks>
    public static void TakeFromFolder(string path, string folder)
    {
        if (Environment.IsPrivilegedProcess && Read(folder) is { } owner)
        {
            _ = ChangeOwnerOfLink(path, owner.User, owner.Group);
        }
    }

    /// <summary>Makes this the owner of an open file.</summary>
    /// <returns>Whether that is allowed.</returns>
    public bool Give(SafeFileHandle file) => ChangeOwner(file, User, Group) == 0;

    [LibraryImport("libc", EntryPoint = "fchown")]
    private static partial int ChangeOwner(SafeFileHandle file, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwnerOfLink(string path, uint user, uint group);
}
