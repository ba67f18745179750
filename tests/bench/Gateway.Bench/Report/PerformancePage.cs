using System.Text;

namespace Gateway.Bench.Report;

/// <summary>The page: what is between its markers is a run's, all else is written by people.</summary>
internal static class PerformancePage
{
    private const string Begin = "<!-- tests/bench/run writes from here -->\n";
    private const string End = "<!-- to here -->\n";

    /// <summary>The page with another run between its markers.</summary>
    /// <param name="page">The page; empty: a new one with nothing else.</param>
    /// <param name="facts">The machine and the versions.</param>
    /// <param name="tables">The tables, as Markdown.</param>
    /// <exception cref="BenchException">The page lacks its markers.</exception>
    public static string Replace(string page, IEnumerable<(string Name, string Value)> facts, string tables)
    {
        if (page.Length == 0)
        {
            page = Begin + End;
        }

        var (start, end) = (page.IndexOf(Begin, StringComparison.Ordinal), page.IndexOf(End, StringComparison.Ordinal));
        if (start < 0 || end < start)
        {
            throw new BenchException($"the page lacks its markers. Restore these two lines: {Begin}{End}");
        }

        var text = new StringBuilder("\n");
        text.AppendJoin("; ", facts.Select(static fact => $"{fact.Name} {fact.Value}"));
        text.Append(".\n\n![Processor time of the fronts, as a ratio to bare YARP](performance.svg)\n\n")
            .Append(tables);
        return page[..(start + Begin.Length)] + text + page[end..];
    }
}
