using System.Diagnostics;
using System.Globalization;
using Gateway.Bench.Servers;

namespace Gateway.Bench.Machine;

/// <summary>
/// Where a process spends its processor time, by <c>perf</c>, with the names of .NET's compiled methods.
/// </summary>
internal static class Profile
{
    /// <summary>
    /// Makes .NET write the names of its methods where perf looks for them, for all servers from now on.
    /// </summary>
    public const string Switch = "DOTNET_PerfMapEnabled";

    private const int MethodsShown = 45;

    /// <summary>The file with the names of a process's methods.</summary>
    public static string MapOf(int process) =>
        string.Create(CultureInfo.InvariantCulture, $"/tmp/perf-{process}.map"); // perf knows this place only

    /// <summary>Records a process while some work is done.</summary>
    /// <param name="process">The process.</param>
    /// <param name="file">The file for the samples.</param>
    /// <param name="work">The work.</param>
    /// <returns>The methods that used most, alone and with what they called.</returns>
    public static async Task<string> TakeAsync(int process, string file, Func<Task> work)
    {
        var id = process.ToString(CultureInfo.InvariantCulture);
        using (var perf = Process.Start(new ProcessStartInfo(
            "perf", ["record", "--quiet", "--freq", "499", "-g", "--pid", id, "--output", file])
        {
            UseShellExecute = false,
        })!)
        {
            try
            {
                await work();
            }
            finally
            {
                _ = Signals.Terminate(perf.Id);
                await perf.WaitForExitAsync();
            }
        }

        string[] report =
            ["perf", "report", "--stdio", "--input", file, "--percent-limit", "0.3", "--call-graph", "none"];
        return $"""
            By library:
            {Top(await Command.RunAsync([.. report, "--no-children", "--sort", "dso"]), 12)}
            By method, alone:
            {Top(await Command.RunAsync([.. report, "--no-children", "--sort", "symbol"]), MethodsShown)}
            By method, with what it calls:
            {Top(await Command.RunAsync([.. report, "--children", "--sort", "symbol"]), MethodsShown * 2)}
            """;
    }

    private static string Top(string report, int lines) => string.Join('\n', report.Split('\n')
        .Where(static line => line.Contains('%', StringComparison.Ordinal))
        .Take(lines));
}
