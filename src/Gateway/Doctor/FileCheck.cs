using Gateway.Client.Doctor;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;

namespace Gateway.Doctor;

/// <summary>Only the gateway's user may read secrets, and it must be able to read every file that it needs.</summary>
internal sealed class FileCheck : IServerCheck
{
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private const UnixFileMode Writers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <inheritdoc/>
    public string Area => "FIL";

    /// <inheritdoc/>
    public string Subject => "files and their modes";

    /// <inheritdoc/>
    public Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            diagnosis.NotRun(Area, Subject, "modes of files are checked on Linux and macOS only");
            return Task.CompletedTask;
        }

        var count = 0;
        foreach (var (path, isSecret) in FilesOf(examined.Options))
        {
            if (!File.Exists(path))
            {
                continue; // its own check reports that
            }

            count++;
            var mode = File.GetUnixFileMode(path);
            if (!CanRead(path, out var fault))
            {
                diagnosis.Error(
                    "FIL002", path, $"{fault}; mode {Octal(mode)}, and the doctor runs as \"{Environment.UserName}\"",
                    $"chown or setfacl, so that the gateway's user can read {ShellWord.Of(path)}");
            }
            else if (isSecret && (mode & Others) != 0)
            {
                diagnosis.Error(
                    "FIL001", path, $"mode {Octal(mode)}: every user of the machine can read it",
                    $"chmod o= {path}; then replace the secret, since somebody may have read it");
            }
            else if ((mode & Writers & UnixFileMode.OtherWrite) != 0)
            {
                diagnosis.Error(
                    "FIL003", path, $"mode {Octal(mode)}: every user of the machine can change it",
                    $"chmod o-w {path}");
            }
        }

        if (!diagnosis.Has("FIL"))
        {
            diagnosis.Pass(
                Area, Subject,
                $"{DoctorText.Count(count, "file")} checked; nobody else can read the secrets among them");
        }

        return Task.CompletedTask;
    }

    private static IEnumerable<(string Path, bool IsSecret)> FilesOf(GatewayOptions options)
    {
        yield return (options.File!, false);
        foreach (var file in options.Paths.DistinctBy(static file => file.Path))
        {
            if (!Directory.Exists(file.Path))
            {
                yield return (file.Path, file.IsSecret
                    || (file.Key.StartsWith("tls.certificates[", StringComparison.Ordinal)
                    && file.Key.EndsWith(".key", StringComparison.Ordinal))
                    || file.Key == "authentication.htpasswd.file");
            }
        }

        foreach (var folder in new[] { options.State.Folder, options.KeyFolderPath() }.Where(Directory.Exists))
        {
            foreach (var path in Files(folder))
            {
                // Certificates and public keys are for others to read.
                yield return (path,
                    Path.GetExtension(path) is not (".crt" or ".json")
                        && !path.EndsWith(".jsonl", StringComparison.Ordinal));
            }
        }
    }

    private static string[] Files(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Where(static path => Path.GetExtension(path) != ".sock")];
        }
        catch (UnauthorizedAccessException)
        {
            return []; // StateCheck reports that
        }
    }

    private static bool CanRead(string path, out string fault)
    {
        try
        {
            // A pipe would block the doctor; it has no length, like an empty file.
            if (new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path).Length == 0)
            {
                fault = "";
                return true;
            }

            using var stream = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            fault = "";
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            fault = exception is UnauthorizedAccessException ? "permission denied" : DoctorText.Of(exception);
            return false;
        }
    }

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');
}
