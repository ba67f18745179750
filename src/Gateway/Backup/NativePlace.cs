using System.Runtime.InteropServices;

namespace Gateway.Backup;

/// <summary>The system calls for putting files into place that .NET does not offer.</summary>
internal static partial class NativePlace
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const int ExchangeNames = 2; // RENAME_EXCHANGE

    /// <summary>Exchanges two names in one step.</summary>
    /// <returns><see langword="false"/> if the file system does not support that; nothing is changed then.</returns>
    public static bool TryExchange(string first, string second) =>
        RenameAt2(CurrentFolder, first, CurrentFolder, second, ExchangeNames) == 0;

    /// <summary>Renames a file or folder, or throws without a change. An empty folder is replaced.</summary>
    /// <exception cref="IOException">It cannot be done.</exception>
    public static void Rename(string from, string to)
    {
        if (RenameFile(from, to) != 0)
        {
            throw new IOException(
                $"{to}: it cannot be put there: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }
    }

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameFile(string from, string to);

    [LibraryImport("libc", EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int fromFolder, string from, int toFolder, string to, uint flags);
}
