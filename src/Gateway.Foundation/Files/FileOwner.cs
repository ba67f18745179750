using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Foundation.Files;

/// <summary>Who owns a file, by the numbers of user and group.</summary>
internal readonly partial record struct FileOwner(uint User, uint Group)
{
    /// <summary>The owner of a file or folder; <see langword="null"/> where it cannot be told.</summary>
    public static FileOwner? Read(string path) =>
        FileStatus.Read(path, out var status) == 0 ? new FileOwner(status.User, status.Group) : null;

    /// <summary>
    /// Gives a new file to whom its folder belongs: the gateway must be able to read what root made. Does nothing for who is not
    /// root, and where it is not possible.
    /// </summary>
    /// <remarks>Never to what a link leads to: the owner of the folder may have put one in the place of the file.</remarks>
    public static void TakeFromFolder(string path, string folder)
    {
        if (Environment.IsPrivilegedProcess && Read(folder) is { } owner)
        {
            _ = ChangeOwnerOfLink(path, owner.User, owner.Group);
        }
    }

    /// <summary>Makes it the owner of an open file.</summary>
    /// <returns>Whether that is allowed.</returns>
    public bool Give(SafeFileHandle file) => ChangeOwner(file, User, Group) == 0;

    [LibraryImport("libc", EntryPoint = "fchown")]
    private static partial int ChangeOwner(SafeFileHandle file, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwnerOfLink(string path, uint user, uint group);
}
