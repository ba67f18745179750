using System.Globalization;
using System.Text;
using Gateway.Bench.Fronts;
using Gateway.Bench.Workloads;

namespace Gateway.Bench.Report;

/// <summary>The tables of the page, as Markdown.</summary>
internal sealed class PerformanceTables(Results results)
{
    private static readonly string[] Main =
    [
        FrontSet.Registry, FrontSet.Nginx, FrontSet.NginxUnbuffered, FrontSet.NginxAuth, FrontSet.RegistryAuth,
        FrontSet.Yarp, FrontSet.Gateway, FrontSet.GatewayCache,
    ];

    private static readonly string[] Parts =
        [FrontSet.Gateway, FrontSet.GatewayNoRedis, FrontSet.GatewayNoAudit, FrontSet.GatewayBare];

    private readonly StringBuilder _text = new();

    private IEnumerable<Series> Studies =>
        results.All.Where(one => results.Works.All(work => work.Key != one.Workload));

    /// <summary>Every figure, one row each: for developers.</summary>
    public string WriteDetails()
    {
        _text.Clear();
        Row(
            "work", "front", "CPU", "lowest to highest", "registry", "Redis", "Redis calls", ": YARP", ": nginx",
            ": nginx + auth", "all : registry");
        Rule(2, 9);
        foreach (var workload in results.Works)
        {
            foreach (var (front, title) in FrontSet.Titles)
            {
                if (results.Find(workload.Key, front, Comparison.Own) is { } cpu)
                {
                    Row(
                        workload.Key, title, $"{Short(cpu.Median)} {UnitOf(cpu)}", Spread(cpu),
                        Figure(workload, front, "registry-cpu"), Figure(workload, front, "redis-cpu"),
                        Figure(workload, front, "redis-calls"), Ratio(workload, front, Comparison.Own, FrontSet.Yarp),
                        Ratio(workload, front, Comparison.Own, FrontSet.Nginx),
                        Ratio(workload, front, Comparison.Own, FrontSet.NginxAuth),
                        Ratio(workload, front, Comparison.Everything, FrontSet.Registry));
                }
            }
        }

        _text.Append('\n');
        Row("what", "of", "figure", "median", "lowest to highest");
        Rule(3, 2);
        foreach (var one in Studies)
        {
            Row(
                one.Workload, one.Front, one.Figure, $"{Short(one.Median)} {UnitOf(one)}", Spread(one));
        }

        return _text.ToString();
    }

    /// <summary>The tables for readers of the page.</summary>
    public string Write()
    {
        _text.Clear();
        Section(Table.Requests, "Small requests", "µs a request");
        Section(Table.Transfers, "Blobs, uploads and whole images", "ms each");
        Section(Table.SignIns, "Signing in and connecting", "µs each");
        _text.Append("### Starts, memory, idle time, the catalog and commands\n\n");
        WriteStudies();
        return _text.ToString();
    }

    private void Section(Table table, string title, string unit)
    {
        Work[] measured =
        [
            .. results.Works.Where(one => one.Table == table
                && FrontSet.Titles.Keys.Any(front => results.Find(one.Key, front, Comparison.Own) is not null)),
        ];
        if (measured.Length == 0)
        {
            return;
        }

        _text.Append(CultureInfo.InvariantCulture, $"### {title}\n\nProcessor time of the front, {unit}:\n\n");
        WriteTimes(measured);
        _text.Append(
            "\nThe gateway with everything on, as a ratio to others in the same round (lowest to highest of the rounds):\n\n");
        WriteRatios(measured, FrontSet.Gateway);
        if (measured.Any(one => results.Find(one.Key, FrontSet.GatewayCache, Comparison.Own) is not null))
        {
            _text.Append("\nThe gateway with the content cache, in the same way:\n\n");
            WriteRatios(measured, FrontSet.GatewayCache);
        }

        Work[] inParts =
        [
            .. measured.Where(
                one => results.Ratio(one.Key, FrontSet.GatewayBare, Comparison.Own, FrontSet.Yarp) is not null),
        ];
        if (inParts.Length > 0)
        {
            _text.Append("\nWhere it goes: ratios to bare YARP if parts of the gateway are turned off:\n\n");
            WriteParts(inParts);
        }

        _text.Append('\n');
    }

    private void WriteTimes(IReadOnlyList<Work> measured)
    {
        string[] fronts =
            [.. Main.Where(front => measured.Any(one => results.Find(one.Key, front, Comparison.Own) is not null))];
        Row(["work", .. fronts.Select(static front => FrontSet.Titles[front]), "Redis", "the registry behind YARP"]);
        Rule(1, fronts.Length + 2);
        foreach (var one in measured)
        {
            Row(
            [
                one.Title, .. fronts.Select(front => Figure(one, front, Comparison.Own)),
                Figure(one, FrontSet.Gateway, "redis-cpu"), Figure(one, FrontSet.Yarp, "registry-cpu"),
            ]);
        }
    }

    private void WriteRatios(IReadOnlyList<Work> measured, string front)
    {
        Comparison[] columns =
        [
            .. Comparison.All.Where(column => measured.Any(
                one => results.Ratio(one.Key, front, column.Figure, column.Other) is not null)),
        ];
        Row(["work", .. columns.Select(static column => column.Title), "Redis calls"]);
        Rule(1, columns.Length + 1);
        foreach (var one in measured)
        {
            Row(
            [
                one.Title, .. columns.Select(column => RatioAndSpread(one, front, column.Figure, column.Other)),
                Figure(one, front, "redis-calls"),
            ]);
        }
    }

    private void WriteParts(IReadOnlyList<Work> measured)
    {
        Row(["work", .. Parts.Select(static front => FrontSet.Titles[front])]);
        Rule(1, Parts.Length);
        foreach (var one in measured)
        {
            Row([one.Title, .. Parts.Select(front => Ratio(one, front, Comparison.Own, FrontSet.Yarp))]);
        }
    }

    private void WriteStudies()
    {
        Row("figure", "of", "median", "lowest to highest");
        Rule(2, 2);
        foreach (var one in Studies)
        {
            Row(
                StudyTitles.FigureOf(one), StudyTitles.SubjectOf(one), $"{Short(one.Median)} {UnitOf(one)}",
                Spread(one));
        }
    }

    private string Figure(Work workload, string front, string figure) =>
        results.Find(workload.Key, front, figure) is { } one ? Short(one.Median) : "";

    private string Ratio(Work workload, string front, string figure, string other) =>
        results.Ratio(workload.Key, front, figure, other) is { } one ? Short(one.Median) : "";

    private string RatioAndSpread(Work workload, string front, string figure, string other) =>
        results.Ratio(workload.Key, front, figure, other) is { } one
            ? $"**{Short(one.Median)}** ({Spread(one)})"
            : "";

    private static string UnitOf(Series one) => one.Unit == "us" ? "µs" : one.Unit;

    private static string Short(double value) => Results.Format(value, 3);

    private static string Spread(Series one) =>
        $"{Short(one.Values.Min())} to {Short(one.Values.Max())}";

    private void Row(params IEnumerable<string> cells) =>
        _text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    private void Rule(int texts, int numbers) => _text
        .Append('|').Insert(_text.Length, "---|", texts).Insert(_text.Length, "--:|", numbers).Append('\n');
}
