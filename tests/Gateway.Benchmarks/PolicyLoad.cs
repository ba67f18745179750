using System.Diagnostics;
using System.Globalization;
using Gateway.Core.Authorization;
using Gateway.Server.Registry.Policies;

namespace Gateway.Benchmarks;

/// <summary>What it costs to read a policy folder: CPU of the process, bytes allocated, bytes kept.</summary>
internal static class PolicyLoad
{
    private const int Rounds = 5;

    /// <summary>Reads the folder several times and prints a line for each.</summary>
    public static void Measure(string folder)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var allocated = GC.GetTotalAllocatedBytes(precise: true);
            var cpu = Cpu();
            var policies = PolicyFolder.Load(folder);
            var took = Cpu() - cpu;
            allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
            var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
            Print("load", policies, took, allocated, kept);
            GC.KeepAlive(policies);
        }
    }

    private static TimeSpan Cpu() => Process.GetCurrentProcess().TotalProcessorTime;

    private static void Print(string what, PolicySet policies, TimeSpan cpu, long allocated, long kept) =>
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}: {policies.RuleCount} rules, {cpu.TotalMilliseconds:0} ms CPU, "
            + $"{allocated >> 20} MiB allocated, {kept >> 20} MiB kept"));
}
