namespace Gateway.Client.Commands;

/// <summary>How this program was started.</summary>
internal static class Invocation
{
    /// <summary>The name that it was started by; with a symbolic link, the link's name.</summary>
    public static string Name()
    {
        try
        {
            // The runtime knows only the program's own path (proc(5), "/proc/pid/cmdline").
            var line = File.ReadAllText("/proc/self/cmdline");
            return Path.GetFileName(line.Split('\0')[0]);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Path.GetFileNameWithoutExtension(Environment.ProcessPath ?? "");
        }
    }
}
