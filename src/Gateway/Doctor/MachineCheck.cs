using System.Globalization;
using Gateway.Client.Doctor;
using Gateway.Server.Host.Configuration;

namespace Gateway.Doctor;

/// <summary>Free space on the disks, and how many files the gateway may open.</summary>
internal sealed class MachineCheck : IServerCheck
{
    // Each connection takes two descriptors: one to the client, one to the upstream.
    private const long FewestFiles = 4096;
    private const long LeastRoom = 256L << 20;

    /// <inheritdoc/>
    public string Area => "MAC";

    /// <inheritdoc/>
    public string Subject => "the machine";

    /// <inheritdoc/>
    public Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var options = examined.Options;
        string?[] paths = [
            options.State.Folder, options.KeyFolderPath(), Path.GetDirectoryName(options.Audit.File.Path),
        ];
        foreach (var drive in paths.OfType<string>().Select(Existing).Distinct(StringComparer.Ordinal))
        {
            var info = new DriveInfo(drive);
            if (info.AvailableFreeSpace < LeastRoom || info.AvailableFreeSpace < info.TotalSize / 100)
            {
                diagnosis.Warn(
                    "MAC001", drive,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{info.AvailableFreeSpace >> 20} MiB of {info.TotalSize >> 20} MiB are free"));
            }
        }

        if (FileLimit() is not { } limit)
        {
            diagnosis.NotRun(Area, "open files", "the limit is in /proc/self/limits, which this machine does not have");
        }
        else if (limit < FewestFiles)
        {
            diagnosis.Warn(
                "MAC002", "open files",
                string.Create(CultureInfo.InvariantCulture, $"the limit of a process is {limit}"),
                "systemd: LimitNOFILE=65536; docker: --ulimit nofile=65536:65536");
        }

        if (!diagnosis.Has("MAC", Severity.NotRun))
        {
            diagnosis.Pass(Area, Subject, "the disks have free space, and the limit of open files is high enough");
        }

        return Task.CompletedTask;
    }

    // The hard limit counts: the runtime raises the soft one to it.
    private static long? FileLimit()
    {
        const string name = "Max open files";
        if (!File.Exists("/proc/self/limits")
            || File.ReadLines("/proc/self/limits").FirstOrDefault(
                static line => line.StartsWith(name, StringComparison.Ordinal)) is not { } line)
        {
            return null;
        }

        return line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var hard, ..]
            ? long.TryParse(hard, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                ? value
                : long.MaxValue
            : null;
    }

    private static string Existing(string path)
    {
        var at = Path.GetFullPath(path);
        while (!Directory.Exists(at))
        {
            at = Path.GetDirectoryName(at) ?? "/";
        }

        return at;
    }
}
