namespace Gateway.Client.Commands;

/// <summary>How this program was called.</summary>
internal static class Invocation
{
    /// <summary>The name it was called by, which a symbolic link may make another than its own.</summary>
    public static string Name()
    {
        try
        {
            // The runtime tells the program's own path only (proc(5), "/proc/pid/cmdline").
            var line = File.ReadAllText("/proc/self/cmdline");
            return Path.GetFileName(line.Split('\0')[0]);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Path.GetFileNameWithoutExtension(Environment.ProcessPath ?? "");
        }
    }
}
