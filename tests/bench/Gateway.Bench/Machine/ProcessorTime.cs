using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Gateway.Bench.Machine;

/// <summary>The processor time (user and system) that processes of this machine have used.</summary>
/// <remarks>
/// The kernel's clock of a process (<c>clock_getcpuclockid(3)</c>): the same sum as <c>utime</c> and <c>stime</c> of
/// <c>/proc/PID/stat</c>, with the threads that have ended, but in nanoseconds; <c>stat</c> counts in hundredths of a
/// second, and <c>task/*/schedstat</c> forgets threads that have ended.
/// </remarks>
internal static partial class ProcessorTime
{
    private const int SchedulerClock = 2; // CPUCLOCK_SCHED
    private const int ThisThread = 3; // CLOCK_THREAD_CPUTIME_ID
    private const int Children = -1; // RUSAGE_CHILDREN

    /// <summary>Seconds that a process and its children have used; children that have ended are left out.</summary>
    public static double OfTree(int process) =>
        Of(process) + ChildrenOf(process).Sum(OfTree);

    /// <summary>Seconds that the children of this program have used that have ended.</summary>
    public static double OfEndedChildren()
    {
        Span<long> usage = stackalloc long[18]; // struct rusage: two timevals, then 14 numbers
        if (GetResourceUsage(Children, usage) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        return usage[0] + usage[2] + ((usage[1] + usage[3]) / 1e6);
    }

    /// <summary>
    /// Seconds that the thread of a .NET process has used that compiles hot methods again; zero if it rests.
    /// </summary>
    public static double OfCompiler(int process)
    {
        var seconds = 0.0;
        foreach (var thread in Directory.EnumerateDirectories($"/proc/{Text(process)}/task"))
        {
            try
            {
                if (File.ReadAllText(thread + "/comm").StartsWith(".NET Tiered", StringComparison.Ordinal))
                {
                    var used = File.ReadAllText(thread + "/schedstat").Split(' ')[0];
                    seconds += long.Parse(used, CultureInfo.InvariantCulture) / 1e9;
                }
            }
            catch (IOException)
            {
                // it ended meanwhile
            }
        }

        return seconds;
    }

    /// <summary>Seconds that this thread has used.</summary>
    public static double OfThisThread()
    {
        _ = GetTime(ThisThread, out var time);
        return time.Seconds + (time.Nanoseconds / 1e9);
    }

    /// <summary>Bytes of memory that a process and its children hold (<c>VmRSS</c>).</summary>
    public static long MemoryOfTree(int process)
    {
        var line = File.ReadLines($"/proc/{Text(process)}/status")
            .First(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        var kibibytes = long.Parse(line["VmRSS:".Length..^"kB".Length].Trim(), CultureInfo.InvariantCulture);
        return (kibibytes * 1024) + ChildrenOf(process).Sum(MemoryOfTree);
    }

    private static double Of(int process)
    {
        if (GetTime((~process << 3) | SchedulerClock, out var time) != 0)
        {
            throw new InvalidOperationException($"process {Text(process)} has ended");
        }

        return time.Seconds + (time.Nanoseconds / 1e9);
    }

    private static IEnumerable<int> ChildrenOf(int process)
    {
        var id = Text(process);
        return File.ReadAllText($"/proc/{id}/task/{id}/children")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(static child => int.Parse(child, CultureInfo.InvariantCulture));
    }

    private static string Text(int process) => process.ToString(CultureInfo.InvariantCulture);

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int GetTime(int clock, out TimeSpecification time);

    [LibraryImport("libc", EntryPoint = "getrusage", SetLastError = true)]
    private static partial int GetResourceUsage(int who, Span<long> usage);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpecification
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
