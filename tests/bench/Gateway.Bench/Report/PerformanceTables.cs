using System.Globalization;
using System.Text;
using Gateway.Bench.Fronts;
using Gateway.Bench.Workloads;

namespace Gateway.Bench.Report;

/// <summary>The tables of the page, as Markdown.</summary>
internal static class PerformanceTables
{
    /// <summary>Every figure of the fronts, one row each: for developers.</summary>
    public static string WriteDetails(Results results, IEnumerable<IFrontWorkload> workloads)
    {
        var text = new StringBuilder("""
            | work | front | CPU | lowest to highest | registry | Redis | Redis calls | : YARP | : nginx + auth | : registry, all |
            |---|---|--:|---|--:|--:|--:|--:|--:|--:|

            """);
        foreach (var workload in workloads)
        {
            foreach (var (front, title) in FrontSet.Titles)
            {
                if (results.Find(workload.Key, front, "cpu") is { } cpu)
                {
                    text.Append(
                        CultureInfo.InvariantCulture,
                        $"| {workload.Key} | {title} | {Results.Format(cpu.Median)} {cpu.Unit} "
                            + $"| {Results.Format(cpu.Values.Min())} to {Results.Format(cpu.Values.Max())} "
                            + $"| {Figure("registry-cpu")} | {Figure("redis-cpu")} | {Figure("redis-calls")} "
                            + $"| {Ratio("cpu", FrontSet.Yarp)} | {Ratio("cpu", FrontSet.NginxAuth)} "
                            + $"| {Ratio("all-cpu", FrontSet.Registry)} |\n");
                }

                string Figure(string figure) =>
                    results.Find(workload.Key, front, figure) is { } one ? Results.Format(one.Median) : "";

                string Ratio(string figure, string other) =>
                    results.Ratio(workload.Key, front, figure, other) is { } one
                        ? one.Median.ToString("F2", CultureInfo.InvariantCulture)
                        : "";
            }
        }

        var fronts = workloads.Select(static workload => workload.Key).ToHashSet();
        text.Append("\n| study | of | figure | median | lowest to highest |\n|---|---|---|--:|---|\n");
        foreach (var one in results.All.Where(one => !fronts.Contains(one.Workload)))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {one.Workload} | {one.Front} | {one.Figure} | {Results.Format(one.Median)} {one.Unit} "
                    + $"| {Results.Format(one.Values.Min())} to {Results.Format(one.Values.Max())} |\n");
        }

        return text.ToString();
    }
}
