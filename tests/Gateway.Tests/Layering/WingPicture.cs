#pragma warning disable RCS0056 // an element of the SVG is one line
using System.Globalization;
using System.Security;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Layering;

/// <summary>
/// Draws the wings and who uses whom, from the compiled code: a row uses a column, and all of it lies left of the
/// diagonal.
/// </summary>
internal static class WingPicture
{
    private const int BoxWidth = 470, RowHeight = 50, Cell = 50, Top = 140, Left = 20;

    /// <summary>The picture, as SVG.</summary>
    public static string Draw(IReadOnlyList<Arrow> arrows)
    {
        var (width, height) = (Left + BoxWidth + (Wing.All.Count * Cell) + 40, Top + (Wing.All.Count * RowHeight) + 50);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="14">
              <title>The wings of the gateway's source, and which uses which</title>
              <rect width="{width}" height="{height}" fill="#ffffff"/>
              <text x="{Left}" y="36" font-size="20" font-weight="bold" fill="#1b1f24">Wings, and which uses which</text>
              <text x="{Left}" y="62" fill="#57606a">A row uses a column; the number counts pairs of types.</text>
              <text x="{Left}" y="84" fill="#57606a">Right of the diagonal nothing may stand: a wing uses only those before it.</text>

            """);
        var counts = arrows.GroupBy(static arrow => (arrow.From.Name, arrow.To.Name))
            .ToDictionary(static group => group.Key, static group => group.Count());
        for (var row = 0; row < Wing.All.Count; row++)
        {
            DrawName(svg, row);
            for (var column = 0; column < Wing.All.Count; column++)
            {
                DrawCell(svg, row, column, counts.GetValueOrDefault((Wing.All[row].Name, Wing.All[column].Name)));
            }
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static void DrawName(StringBuilder svg, int row)
    {
        var (wing, y) = (Wing.All[row], Top + (row * RowHeight));
        var x = Left + BoxWidth + (row * Cell) + (Cell / 2);
        var fill = wing.Namespace.StartsWith("Gateway.Server.", StringComparison.Ordinal) ? "#eaf1fb" : "#f6f8fa";
        svg.Append(CultureInfo.InvariantCulture, $"""
              <rect x="{Left}" y="{y}" width="{BoxWidth - 10}" height="{RowHeight - 4}" rx="5" fill="{fill}"/>
              <text x="{Left + 12}" y="{y + 20}" font-weight="bold" fill="#1b1f24">{SecurityElement.Escape(wing.Namespace)}</text>
              <text x="{Left + 12}" y="{y + 37}" font-size="11" fill="#57606a">{SecurityElement.Escape(RoomsOf(wing))}</text>
              <text x="{x}" y="{Top - 8}" transform="rotate(-50 {x} {Top - 8})" fill="#1b1f24">{SecurityElement.Escape(wing.Name)}</text>

            """);
    }

    private static void DrawCell(StringBuilder svg, int row, int column, int count)
    {
        var (x, y) = (Left + BoxWidth + (column * Cell), Top + (row * RowHeight));
        if (row == column || count > 0)
        {
            var shade = row == column ? "#d0d7de" : column > row ? "#cf222e" : Shade(count);
            svg.Append(CultureInfo.InvariantCulture, $"""
                  <rect x="{x}" y="{y}" width="{Cell - 4}" height="{RowHeight - 4}" rx="4" fill="{shade}"/>

                """);
        }

        if (count > 0)
        {
            svg.Append(CultureInfo.InvariantCulture, $"""
                  <text x="{x + ((Cell - 4) / 2)}" y="{y + 28}" text-anchor="middle" font-size="12" fill="#1b1f24">{count}</text>

                """);
        }
    }

    private static string Shade(int count) => count switch
    {
        < 10 => "#eef5ff",
        < 40 => "#cfe3ff",
        < 120 => "#a5ccff",
        _ => "#7fb2f5",
    };

    private static string RoomsOf(Wing wing)
    {
        var folder = Path.Combine(
            RepositoryRoot.Path, "src",
            wing.Namespace == "Gateway" || !wing.Namespace.StartsWith("Gateway.Server.", StringComparison.Ordinal)
            ? wing.Namespace
            : Path.Combine("Gateway.Server", wing.Name));
        return string.Join(" · ", Directory.EnumerateDirectories(folder).Select(static path => Path.GetFileName(path))
            .Where(static name => name is not ("bin" or "obj")).Order(StringComparer.Ordinal));
    }
}
