using System.Diagnostics;

namespace Gateway.Tests.Support;

/// <summary>
/// Something mounted for one test: a small disk, or a file that cannot be renamed, as containers mount them.
/// </summary>
internal sealed class Mount : IDisposable
{
    private Mount(string path) => Path = path;

    public string Path { get; }

    /// <summary>An empty disk of a size, in memory.</summary>
    public static Mount Disk(long size)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-disk-").FullName;
        Run("mount", "-t", "tmpfs", "-o", FormattableString.Invariant($"size={size}"), "tmpfs", folder);
        return new Mount(folder);
    }

    /// <summary>A file that is a mount point, so that it cannot be renamed.</summary>
    public static Mount File(string path)
    {
        Run("mount", "--bind", path, path);
        return new Mount(path);
    }

    /// <summary>Uses up the disk's space.</summary>
    public void Fill()
    {
        using var file = System.IO.File.Create(System.IO.Path.Combine(Path, "filler"));
        var block = new byte[64 * 1024];
        try
        {
            while (true)
            {
                file.Write(block);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // it is full
        }
    }

    /// <summary>Gives it back.</summary>
    public void MakeRoom() => System.IO.File.Delete(System.IO.Path.Combine(Path, "filler"));

    public void Dispose()
    {
        Run("umount", "--lazy", Path); // whoever has it open goes on
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path);
        }
    }

    private static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command}: {error}");
    }
}
