#pragma warning disable RCS0056 // an element of the SVG is one line
using System.Globalization;
using System.Security;
using System.Text;
using Gateway.Bench.Fronts;

namespace Gateway.Bench.Report;

/// <summary>
/// Draws the processor time of the fronts as a ratio to bare YARP, one group of bars for each workload.
/// </summary>
internal static class PerformancePicture
{
    private const int Left = 290, Scale = 160, Bar = 14, Gap = 18, Top = 120, Right = 110;
    private const double Longest = 4; // bars beyond are cut, and say what they are

    private static readonly (string Front, string Color)[] Bars =
    [
        (FrontSet.Nginx, "#8fb996"), (FrontSet.NginxAuth, "#4f8a5b"), (FrontSet.Yarp, "#b8bec6"),
        (FrontSet.Gateway, "#2f6fd0"), (FrontSet.GatewayCache, "#8a5cd1"),
    ];

    /// <summary>The picture, as SVG.</summary>
    public static string Draw(Results results)
    {
        Work[] drawn =
            [.. results.Works.Where(one => results.Find(one.Key, FrontSet.Yarp, Comparison.Own) is not null)];
        var body = new StringBuilder();
        var y = Top;
        foreach (var one in drawn)
        {
            y = DrawGroup(body, results, one, y) + Gap;
        }

        var width = Left + (int)(Scale * Longest) + Right;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y + 10}" font-family="sans-serif" font-size="13">
              <title>Processor time of the fronts, as a ratio to bare YARP</title>
              <rect width="{width}" height="{y + 10}" fill="#ffffff"/>
              <text x="20" y="34" font-size="20" font-weight="bold" fill="#1b1f24">Processor time of a front, bare YARP = 1</text>
              <text x="20" y="58" fill="#57606a">Shorter is better. Medians of the rounds; the thin line is lowest to highest. Without Redis and the registry behind.</text>

            """);
        DrawLegend(svg, [.. Bars.Where(bar => drawn.Any(one => results.Find(one.Key, bar.Front, Comparison.Own) is not null))]);
        for (var ratio = 0; ratio <= Longest; ratio++)
        {
            svg.Append(CultureInfo.InvariantCulture, $"""
                  <line x1="{X(ratio)}" y1="{Top - 12}" x2="{X(ratio)}" y2="{y - Gap}" stroke="{(ratio == 1 ? "#57606a" : "#d8dee4")}"/>
                  <text x="{X(ratio)}" y="{Top - 18}" text-anchor="middle" font-size="11" fill="#57606a">{ratio}</text>

                """);
        }

        return svg.Append(body).Append("</svg>\n").ToString();
    }

    private static void DrawLegend(StringBuilder svg, IReadOnlyList<(string Front, string Color)> bars)
    {
        var x = 20;
        foreach (var (front, color) in bars)
        {
            var title = FrontSet.Titles[front];
            svg.Append(CultureInfo.InvariantCulture, $"""
                  <rect x="{x}" y="72" width="12" height="12" fill="{color}"/>
                  <text x="{x + 17}" y="83" font-size="12" fill="#1b1f24">{SecurityElement.Escape(title)}</text>

                """);
            x += 34 + (title.Length * 7);
        }
    }

    private static int DrawGroup(StringBuilder svg, Results results, Work workload, int top)
    {
        var y = top;
        foreach (var (front, color) in Bars)
        {
            if (results.Ratio(workload.Key, front, Comparison.Own, FrontSet.Yarp) is not { } ratio
                || results.Find(workload.Key, front, Comparison.Own) is not { } cpu)
            {
                continue;
            }

            var (middle, end) = (y + (Bar / 2), X(ratio.Median));
            var unit = cpu.Unit == "us" ? "µs" : cpu.Unit;
            svg.Append(CultureInfo.InvariantCulture, $"""
                  <rect x="{Left}" y="{y}" width="{Math.Max(1, end - Left)}" height="{Bar - 2}" fill="{color}"/>
                  <line x1="{X(ratio.Values.Min())}" y1="{middle - 1}" x2="{X(ratio.Values.Max())}" y2="{middle - 1}" stroke="#1b1f24" stroke-width="1"/>
                  <text x="{Math.Max(end, X(ratio.Values.Max())) + 5}" y="{middle + 3}" font-size="11" fill="#1b1f24">{ratio.Median.ToString("F2", CultureInfo.InvariantCulture)}<tspan fill="#57606a"> · {Results.Format(cpu.Median, 3)} {unit}</tspan></text>

                """);
            y += Bar;
        }

        svg.Append(CultureInfo.InvariantCulture, $"""
              <text x="{Left - 12}" y="{((top + y) / 2) + 3}" text-anchor="end" fill="#1b1f24">{SecurityElement.Escape(workload.Title.Replace("`", "", StringComparison.Ordinal))}</text>

            """);
        return y;
    }

    private static int X(double ratio) => Left + (int)(Scale * Math.Min(ratio, Longest));
}
