using Gateway.Foundation.Configuration;

namespace Gateway.Tests.Foundation.Configuration;

public sealed class ProblemTests
{
    [Fact]
    public void ToString_AllParts_IsOneSentenceWithItsPlace()
    {
        Assert.Equal(
            "gateway.yaml:12:3: publicUrl: is not https (found \"http://a\"). Write https://.",
            new Problem("gateway.yaml:12:3", "publicUrl: is not https", "http://a", "Write https://.").ToString());
    }

    [Fact]
    public void ToString_ControlCharactersInAnyPart_CannotBreakTheLineOrTheTerminal()
    {
        Assert.Equal(
            "a?b: c?d (found \"e??[31mf\"). g?h",
            new Problem("a\nb", "c\rd", "e\n\u001b[31mf", "g\u0085h").ToString());
    }

    [Fact]
    public void ToString_EndlessValue_IsCut()
    {
        Assert.Equal(
            $"a: b (found \"{new string('x', 120)}…\"). c",
            new Problem("a", "b", new string('x', 10_000), "c").ToString());
    }
}
