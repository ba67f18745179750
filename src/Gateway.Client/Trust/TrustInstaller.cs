#pragma warning disable CA1416 // it installs on Linux only
using System.Text;
using Gateway.Client.Doctor.Client;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;

namespace Gateway.Client.Trust;

/// <summary>Writes the files of a plan: each completely or not at all, readable by everybody.</summary>
internal static class TrustInstaller
{
    private const UnixFileMode FileMode0644 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead
        | UnixFileMode.OtherRead;
    private const UnixFileMode FolderMode0755 = FileMode0644 | UnixFileMode.UserExecute | UnixFileMode.GroupExecute
        | UnixFileMode.OtherExecute;

    /// <summary>Writes one file.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="step">The file.</param>
    /// <returns>Where the previous file is kept; <see langword="null"/>: there was none.</returns>
    /// <exception cref="ProblemException">It cannot be written.</exception>
    public static string? Write(ClientMachine machine, TrustStep step)
    {
        if (step.Action == TrustAction.Keep)
        {
            return null;
        }

        var path = machine.At(step.Path);
        try
        {
            MakeFolder(Path.GetDirectoryName(path)!);
            string? kept = null;
            if (File.Exists(path))
            {
                kept = FreeName(step.Path, machine);
                Keep(path, machine.At(kept));
            }

            AtomicFile.Write(path, Encoding.UTF8.GetBytes(step.Content), FileMode0644);
            return kept;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ProblemException(new Problem(
                step.Path, "the file cannot be written", exception.Message,
                "Run as root on a disk that has space and is writable. Then run this again: files that were "
                    + "written stay."));
        }
    }

    private static void Keep(string path, string copy)
    {
        File.Copy(path, copy);
        using var file = new FileStream(copy, FileMode.Open, FileAccess.Write);
        file.Flush(flushToDisk: true); // before the other is replaced; its name is synced with that one's
    }

    // Only folders that it creates get the mode.
    private static void MakeFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        MakeFolder(Path.GetDirectoryName(folder)!);
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, FolderMode0755);
    }

    private static string FreeName(string path, ClientMachine machine)
    {
        var name = path + ".before-trust";
        for (var i = 2; machine.Has(name); i++)
        {
            name = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{path}.before-trust.{i}");
        }

        return name;
    }
}
