using System.Diagnostics;
using System.Globalization;
using Gateway.Core.Authorization;
using Gateway.Server.Host.Rotation;
using Gateway.Server.Registry.Policies;

namespace Gateway.Benchmarks;

/// <summary>What it costs to read a policy folder: CPU of the process, bytes allocated, bytes kept.</summary>
internal static class PolicyLoad
{
    private const int Rounds = 7;

    /// <summary>
    /// Reads the folder several times, whole and after a rule was added to its last file, and prints a line for each. A
    /// copy of the folder is changed, not the folder.
    /// </summary>
    public static void Measure(string folder)
    {
        var copy = Directory.CreateTempSubdirectory("policies-").FullName;
        foreach (var file in Directory.EnumerateFiles(folder, "*.yaml"))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        try
        {
            var last = Directory.EnumerateFiles(copy).Order(StringComparer.Ordinal).Last();
            for (var round = 0; round < Rounds; round++)
            {
                var reader = new PolicyReader();
                var whole = Take("whole folder", Read);
                File.AppendAllText(last, $"  - {{ name: added {round}, to: everyone, deny: push, on: added }}\n");
                var changed = Take("one rule more", Read);
                Take("  of it the index", () => PolicySet.Compile(changed.Definition));
                Take("for the audit line", () => ReloadSnapshots.Compare(whole, changed));

                PolicySet Read() => reader.Read(copy, null, requiresEnd: false).PolicyOrProblems();
            }
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    private static T Take<T>(string what, Func<T> work)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var collections = GC.GetTotalPauseDuration();
        var cpu = Cpu();
        var value = work();
        var took = Cpu() - cpu;
        collections = GC.GetTotalPauseDuration() - collections;
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what,-18} {took.TotalMilliseconds,6:0} ms CPU {collections.TotalMilliseconds,6:0} ms of it collections "
            + $"{allocated >> 20,5} MiB allocated {kept >> 20,4} MiB kept"));
        GC.KeepAlive(value);
        return value;
    }

    private static TimeSpan Cpu()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }
}
