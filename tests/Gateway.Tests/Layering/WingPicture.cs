using System.Globalization;
using System.Security;
using System.Text;

namespace Gateway.Tests.Layering;

/// <summary>Draws the wings and who uses whom, from the compiled code.</summary>
/// <remarks>A wing that stands lower is used by those above it; the thicker a line, the more types use types there.</remarks>
internal static class WingPicture
{
    private const int Width = 1040, Left = 330, BoxWidth = 380, BoxHeight = 46, Step = 68, Top = 60;

    // Top to bottom: who uses, before who is used. Client stands beside the server, which it does not know.
    private static readonly string[] Column =
        ["Command", "Host", "Portal", "Registry", "Tokens", "SignIn", "Limits", "Records", "Store", "Requests", "Foundation", "Core"];

    /// <summary>The picture.</summary>
    public static string Draw(IReadOnlyList<Arrow> arrows)
    {
        var svg = new StringBuilder();
        var height = Top + (Column.Length * Step) + 40;
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" font-family="sans-serif" font-size="14">
              <title>The wings of the gateway's source, and which uses which</title>
              <rect width="{Width}" height="{height}" fill="#ffffff"/>
              <text x="20" y="30" font-size="18" fill="#1b1f24">A wing uses only those below it</text>
              <rect x="{Left - 16}" y="{YOf("Host") - 12}" width="{BoxWidth + 32}" height="{(9 * Step) + 2}" rx="10" fill="#f2f5f9"/>
              <text x="{Left + BoxWidth + 28}" y="{YOf("Host") + 8}" fill="#57606a">Gateway.Server</text>

            """);
        var pairs = arrows.GroupBy(static arrow => (From: arrow.From.Name, To: arrow.To.Name))
            .Select(static group => (group.Key.From, group.Key.To, Count: group.Count()))
            .OrderBy(static pair => pair.From, StringComparer.Ordinal).ThenBy(static pair => pair.To, StringComparer.Ordinal);
        foreach (var (from, to, count) in pairs)
        {
            svg.Append(CultureInfo.InvariantCulture, $"  {Line(from, to, count)}\n");
        }

        foreach (var wing in Wing.All)
        {
            var (x, y) = (XOf(wing.Name), YOf(wing.Name));
            var width = wing.Name == "Client" ? 200 : BoxWidth;
            svg.Append(CultureInfo.InvariantCulture, $"""
                  <rect x="{x}" y="{y}" width="{width}" height="{BoxHeight}" rx="6" fill="#ffffff" stroke="#2f6feb"/>
                  <text x="{x + 12}" y="{y + 19}" font-weight="bold" fill="#1b1f24">{SecurityElement.Escape(wing.Name)}</text>
                  <text x="{x + 12}" y="{y + 37}" font-size="12" fill="#57606a">{SecurityElement.Escape(RoomsOf(wing, width))}</text>

                """);
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static int YOf(string name) => name == "Client" ? YOf("SignIn") : Top + (Array.IndexOf(Column, name) * Step);

    private static int XOf(string name) => name == "Client" ? 20 : Left;

    // To a neighbour straight down; further down by an arc, on the left those of the client, on the right all others.
    private static string Line(string from, string to, int count)
    {
        var (x, y1, y2) = (Left + (BoxWidth / 2), YOf(from) + BoxHeight, YOf(to));
        var stroke = Math.Round(0.6 + (Math.Log2(count) / 2), 1);
        var path = from == "Client" || to == "Client"
            ? string.Create(CultureInfo.InvariantCulture, $"M {(from == "Client" ? 120 : Left)} {(from == "Client" ? y1 : y1 - 20)} L {(to == "Client" ? 120 : Left)} {(to == "Client" ? y2 : y2 + 20)}")
            : y2 - y1 < Step
                ? string.Create(CultureInfo.InvariantCulture, $"M {x} {y1} L {x} {y2}")
                : string.Create(CultureInfo.InvariantCulture, $"M {Left + BoxWidth} {y1 - 20} C {Left + BoxWidth + ((y2 - y1) / 3)} {y1} {Left + BoxWidth + ((y2 - y1) / 3)} {y2} {Left + BoxWidth} {y2 + 20}");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"<path d=\"{path}\" fill=\"none\" stroke=\"#8c959f\" stroke-width=\"{stroke}\"><title>{from} uses {to}: {count} pairs of types</title></path>");
    }

    private static string RoomsOf(Wing wing, int width)
    {
        var folder = Path.Combine(Support.RepositoryRoot.Path, "src", FolderOf(wing));
        var rooms = string.Join(" · ", Directory.EnumerateDirectories(folder).Select(static path => Path.GetFileName(path))
            .Where(static name => name is not ("bin" or "obj")).Order(StringComparer.Ordinal));
        var most = width / 6;
        return rooms.Length <= most ? rooms : rooms[..(most - 1)] + "…";
    }

    private static string FolderOf(Wing wing) => wing.Name switch
    {
        "Command" => "Gateway",
        "Core" or "Foundation" or "Client" => "Gateway." + wing.Name,
        _ => Path.Combine("Gateway.Server", wing.Name),
    };
}
