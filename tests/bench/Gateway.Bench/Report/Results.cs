using System.Globalization;

namespace Gateway.Bench.Report;

/// <summary>All figures of a run, in the order in which they came.</summary>
internal sealed class Results
{
    private readonly List<(string Workload, string Front, string Figure)> _order = [];
    private readonly Dictionary<(string, string, string), (string Unit, List<double> Values)> _values = [];

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
    /// <param name="ratios">Further series.</param>
    public string ToCsv(IEnumerable<Series> ratios) => "workload,front,figure,unit,rounds,median,min,max\n"
        + string.Concat(All.Concat(ratios).Select(static series => string.Create(
            CultureInfo.InvariantCulture,
            $"{series.Workload},{series.Front},{series.Figure},{series.Unit},{series.Values.Count},"
                + $"{Format(series.Median)},{Format(series.Values.Min())},{Format(series.Values.Max())}\n")));

    /// <summary>A number with four digits that count, never in powers of ten.</summary>
    public static string Format(double value)
    {
        var digits = value == 0 ? 0 : Math.Clamp(3 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 6);
        return value.ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
