using System.Runtime.InteropServices;

namespace Gateway.Foundation.Files;

/// <summary>The kernel's data about a file; links are followed.</summary>
/// <remarks>
/// <see cref="FileInfo"/> has neither the inode nor the time of its change. The layout of statx(2) is the same on every
/// architecture, unlike that of stat(2).
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal readonly partial struct FileStatus
{
    private const int CurrentDirectory = -100; // AT_FDCWD
    // STATX_UID, _GID, _MTIME, _CTIME, _INO, _SIZE
    private const uint Wanted = 0x8 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200;

    [field: FieldOffset(20)]
    public uint User { get; }

    [field: FieldOffset(24)]
    public uint Group { get; }

    [field: FieldOffset(32)]
    public ulong Inode { get; }

    [field: FieldOffset(40)]
    public ulong Size { get; }

    [field: FieldOffset(96)]
    public Instant Changed { get; }

    [field: FieldOffset(112)]
    public Instant Modified { get; }

    [field: FieldOffset(136)]
    public uint DeviceMajor { get; }

    [field: FieldOffset(140)]
    public uint DeviceMinor { get; }

    /// <summary>Whether both are the same file, whatever its content.</summary>
    public bool IsSameFile(in FileStatus other) =>
        Inode == other.Inode && DeviceMajor == other.DeviceMajor && DeviceMinor == other.DeviceMinor;

    /// <returns>Zero, or the error number of the system.</returns>
    public static int Read(string path, out FileStatus status) =>
        Statx(CurrentDirectory, path, 0, Wanted, out status) == 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, out FileStatus status);

    /// <summary>A time stamp of the file system.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly struct Instant
    {
        private readonly long _seconds;
        private readonly uint _nanoseconds;
        private readonly int _padding;

        /// <inheritdoc/>
        public override string ToString() =>
            string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{_seconds}.{_nanoseconds}");
    }
}
