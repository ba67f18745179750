using System.Text.RegularExpressions;
using Gateway.Tests.Support;

namespace Gateway.Tests.Layering;

/// <summary>The picture in docs/ is drawn by <c>tools/wings</c> from the code, and held in step here.</summary>
public sealed partial class WingPictureTests
{
    private static string PathOfPicture => Path.Combine(RepositoryRoot.Path, "docs", "wings.svg");

    [Fact]
    public void Picture_IsOfTheCodeAsItIs()
    {
        var drawn = WingPicture.Draw(Arrows.OfAssemblies());
        if (Environment.GetEnvironmentVariable("GATEWAY_DRAW_WINGS") is "1")
        {
            File.WriteAllText(PathOfPicture, drawn);
        }

        // How many types use others changes daily, and with it the shade; which wing uses which is what the picture
        // says.
        Assert.Equal(Shape(drawn), Shape(File.ReadAllText(PathOfPicture)));
    }

    private static string Shape(string svg) => Counts().Replace(svg, "");

    [GeneratedRegex("fill=\"#(?:eef5ff|cfe3ff|a5ccff|7fb2f5)\"|>[0-9]+<")]
    private static partial Regex Counts();
}
