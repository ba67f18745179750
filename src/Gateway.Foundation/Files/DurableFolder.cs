using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Foundation.Files;

/// <summary>Folders whose entries survive a power cut.</summary>
/// <remarks>
/// A file that was synced and renamed is on the disk, but its name is not until its folder is synced too (fsync(2),
/// "does not necessarily ensure that the entry in the directory containing the file has also reached disk"). A signing
/// key without its name is lost, with all that it has signed; a removed key whose name is still there is valid again.
/// </remarks>
internal static partial class DurableFolder
{
    // The default of Directory.CreateDirectory.
    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private const int CloseOnExec = 0x80000; // O_CLOEXEC; read-only is 0
    private const int AccessDenied = 13; // EACCES: a folder that is writable but not readable
    private const int Invalid = 22; // EINVAL: a file system without a disk of its own

    /// <summary>Syncs a folder's entries to the disk, if the file system supports it.</summary>
    /// <exception cref="IOException">
    /// The disk failed: renamed or removed files may reappear after a power cut.
    /// </exception>
    public static void Sync(string folder)
    {
        using var handle = Open(folder, CloseOnExec);
        if (handle.IsInvalid)
        {
            Throw(folder, Marshal.GetLastPInvokeError());
        }
        else if (FSync(handle) != 0)
        {
            Throw(folder, Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Creates a folder and its missing parents, durably.</summary>
    /// <param name="folder">Its path.</param>
    /// <param name="mode">The mode of each new folder, reduced by the process's mask.</param>
    /// <exception cref="IOException">It cannot be created, or the disk failed.</exception>
    public static void Create(string folder, UnixFileMode mode = Everybody)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var parent = Path.GetDirectoryName(folder);
        if (parent is not null)
        {
            Create(parent, mode);
        }

        _ = OperatingSystem.IsWindows() ? Directory.CreateDirectory(folder) : Directory.CreateDirectory(folder, mode);
        if (parent is not null)
        {
            Sync(parent);
        }
    }

    /// <summary>Renames a synced file, replacing an existing one, durably.</summary>
    /// <exception cref="IOException">It cannot be done, or the disk failed.</exception>
    public static void Move(string temporary, string path)
    {
        File.Move(temporary, path, overwrite: true);
        Sync(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private static void Throw(string folder, int error)
    {
        if (error is not (AccessDenied or Invalid))
        {
            throw new IOException(
                $"{folder}: its entries cannot be synced to the disk: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);
}
