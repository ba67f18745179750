using System.Runtime.InteropServices;

namespace Gateway.Bench.Servers;

/// <summary>What .NET lacks: a signal other than SIGKILL.</summary>
internal static partial class Signals
{
    private const int Term = 15;

    /// <summary>Asks a process to end.</summary>
    /// <returns>Zero if it was there to be asked.</returns>
    public static int Terminate(int process) => Kill(process, Term);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
