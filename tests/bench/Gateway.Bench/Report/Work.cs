using Gateway.Bench.Workloads;

namespace Gateway.Bench.Report;

/// <summary>A workload that goes through the fronts, as the page names it.</summary>
/// <param name="Key">Its name in the results.</param>
/// <param name="Title">Its name for people.</param>
/// <param name="Table">The table that it belongs to.</param>
internal sealed record Work(string Key, string Title, Table Table);
