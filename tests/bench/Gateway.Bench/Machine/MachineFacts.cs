using System.Globalization;

namespace Gateway.Bench.Machine;

/// <summary>On what, and with what, a run was made.</summary>
internal static class MachineFacts
{
    /// <summary>The machine and the versions of everything, each with its name.</summary>
    public static async Task<IReadOnlyList<(string Name, string Value)>> ReadAsync(BenchOptions options) =>
    [
        ("counted rounds", options.Sizes.Rounds.ToString(CultureInfo.InvariantCulture)),
        ("processors", string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} × {Field("/proc/cpuinfo", "model name", ':')}")),
        ("memory", string.Create(
            CultureInfo.InvariantCulture,
            $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024.0 / 1024 / 1024:F0} GiB")),
        ("system", $"{Field("/etc/os-release", "PRETTY_NAME", '=').Trim('"')}, Linux {await FirstAsync("uname -r")}"),
        (".NET", Environment.Version.ToString()),
        ("gateway", await FirstAsync($"'{options.Gateway}/gateway' --version")),
        ("YARP", await FirstAsync(
            $"grep -o 'Yarp.ReverseProxy/[0-9.]*' '{options.Yarp}/Gateway.Bench.Yarp.deps.json' | cut -d/ -f2")),
        ("docker-registry", await FirstAsync("docker-registry --version | cut -d' ' -f3")),
        ("nginx", await FirstAsync("nginx -v 2>&1 | cut -d/ -f2")),
        ("OpenSSL", await FirstAsync("openssl version | cut -d' ' -f2")),
        ("Redis", await FirstAsync("redis-server --version | grep -o 'v=[^ ]*' | cut -c3-")),
        ("wrk", await FirstAsync("wrk -v 2>&1 | grep -o '[0-9][^ ]*' | head -n 1")),
        ("skopeo", await FirstAsync("skopeo --version | cut -d' ' -f3")),
    ];

    private static async Task<string> FirstAsync(string command) =>
        (await Command.RunAsync(["sh", "-c", command])).Split('\n')[0].Trim();

    private static string Field(string file, string name, char separator) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))
            ?.Split(separator, 2)[1].Trim() ?? "unknown";
}
