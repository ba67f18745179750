namespace Gateway.Tests.Support;

/// <summary>
/// A file on a disk without room, which can be given some: a link to the system's device that is always full.
/// </summary>
internal static class FullDisk
{
    /// <summary>From now on nothing can be written to the file.</summary>
    public static void Fill(string path)
    {
        File.Delete(path);
        File.CreateSymbolicLink(path, "/dev/full");
    }

    /// <summary>From now on there is a file of the name, empty as yet.</summary>
    public static void MakeRoom(string path) => File.Delete(path);
}
