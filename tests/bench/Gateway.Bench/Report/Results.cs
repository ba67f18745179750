using System.Globalization;
using Gateway.Bench.Workloads;

namespace Gateway.Bench.Report;

/// <summary>All figures of a run, in the order in which they came.</summary>
internal sealed class Results
{
    private readonly List<(string Workload, string Front, string Figure)> _order = [];
    private readonly Dictionary<(string, string, string), (string Unit, List<double> Values)> _values = [];

    /// <summary>The workloads that go through the fronts, in order.</summary>
    public List<Work> Works { get; } = [];

    /// <summary>All series.</summary>
    public IEnumerable<Series> All =>
        _order.Select(key => new Series(
            key.Workload, key.Front, key.Figure, _values[key].Unit, _values[key].Values));

    /// <summary>Adds the value of one more round.</summary>
    public void Add(string workload, string front, string figure, string unit, double value)
    {
        if (!_values.TryGetValue((workload, front, figure), out var series))
        {
            _order.Add((workload, front, figure));
            _values[(workload, front, figure)] = series = (unit, []);
        }

        series.Values.Add(value);
    }

    /// <summary>One series; none if it was not measured.</summary>
    public Series? Find(string workload, string front, string figure) =>
        _values.TryGetValue((workload, front, figure), out var series)
            ? new Series(workload, front, figure, series.Unit, series.Values)
            : null;

    /// <summary>The ratio of a figure of two fronts, round by round; none if one of them was not measured.</summary>
    public Series? Ratio(string workload, string front, string figure, string other) =>
        Find(workload, front, figure) is { } one && Find(workload, other, figure) is { } two
            && one.Values.Count == two.Values.Count
            ? one.To(two)
            : null;

    /// <summary>The text of performance.csv.</summary>
    /// <param name="facts">The machine and the versions, as comments before the header.</param>
    /// <param name="ratios">Further series, which are computed from these.</param>
    public string ToCsv(IEnumerable<(string Name, string Value)> facts, IEnumerable<Series> ratios) =>
        string.Concat(facts.Select(static fact => $"# {fact.Name}: {fact.Value}\n"))
            + string.Concat(Works.Select(static work => $"# {work.Table} {work.Key}: {work.Title}\n"))
            + "workload,front,figure,unit,rounds,median,lowest,highest,values\n"
            + string.Concat(All.Concat(ratios).Select(static series => string.Create(
                CultureInfo.InvariantCulture,
                $"{series.Workload},{series.Front},{series.Figure},{series.Unit},{series.Values.Count},"
                    + $"{Format(series.Median, 4)},{Format(series.Values.Min(), 4)},{Format(series.Values.Max(), 4)},"
                    + $"{string.Join(' ', series.Values.Select(static value => Format(value, 4)))}\n")));

    /// <summary>Reads what <see cref="ToCsv"/> wrote, without the ratios that are computed.</summary>
    /// <returns>The figures, and the machine and the versions.</returns>
    public static (Results Results, IReadOnlyList<(string Name, string Value)> Facts) FromCsv(string csv)
    {
        var (results, facts) = (new Results(), new List<(string, string)>());
        var computed = Comparison.All.Select(static one => $"{one.Figure}:{one.Other}").ToHashSet();
        foreach (var line in csv.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# ", StringComparison.Ordinal))
            {
                var colon = line.IndexOf(": ", StringComparison.Ordinal);
                var (name, value) = (line[2..colon], line[(colon + 2)..]);
                if (Enum.TryParse<Table>(name.Split(' ')[0], out var table))
                {
                    results.Works.Add(new Work(name.Split(' ')[1], value, table));
                }
                else
                {
                    facts.Add((name, value));
                }

                continue;
            }

            var cells = line.Split(',');
            if (cells[0] == "workload" || computed.Contains(cells[2]))
            {
                continue;
            }

            foreach (var number in cells[8].Split(' '))
            {
                results.Add(
                    cells[0], cells[1], cells[2], cells[3], double.Parse(number, CultureInfo.InvariantCulture));
            }
        }

        return (results, facts);
    }

    /// <summary>A number with some digits that count, never in powers of ten.</summary>
    public static string Format(double value, int significant)
    {
        var digits = value == 0 ? 0 : Math.Clamp(significant - 1 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 7);
        return value.ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
