using System.Text.Json;
using Gateway.Client.Commands;

namespace Gateway.Tests.Client.Doctor.Explain;

public class ExplainCommandTests
{
    private const string Refused = "Get \"https://hub.example.com:8443/v2/team/app/manifests/1\": dial tcp "
        + "10.0.0.7:8443: connect: connection refused";

    [Fact]
    public void Run_KnownMessage_PrintsCausesStepsAndPages()
    {
        var (code, output, error) = Run(Refused);

        Assert.Equal(0, code);
        Assert.Empty(error);
        Assert.StartsWith(
            "The machine answers, but nothing listens on that port. (connection-refused)\n\nLikely causes, the most "
                + "likely first:\n  1. ", output, StringComparison.Ordinal);
        Assert.Contains(
            "\nWhat to do:\n  1. gateway doctor --client https://hub.example.com:8443\n", output,
            StringComparison.Ordinal);
        Assert.EndsWith("\nPages: docs/problems/NET004.md\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Json_HasEverything()
    {
        var (code, output, _) = Run(Refused, isJson: true);

        Assert.Equal(0, code);
        var root = JsonDocument.Parse(output).RootElement;
        Assert.True(root.GetProperty("known").GetBoolean());
        Assert.Equal("hub.example.com:8443", root.GetProperty("host").GetString());
        Assert.Equal("team/app", root.GetProperty("repository").GetString());
        var problem = root.GetProperty("problems")[0];
        Assert.Equal("connection-refused", problem.GetProperty("id").GetString());
        Assert.Equal("NET004", problem.GetProperty("checks")[0].GetProperty("id").GetString());
        Assert.Equal("docs/problems/NET004.md", problem.GetProperty("checks")[0].GetProperty("page").GetString());
        Assert.False(problem.GetProperty("cutOff").GetBoolean());
    }

    [Fact]
    public void Run_UnknownMessage_SaysSoAndSuggestsTheDoctor()
    {
        var (code, output, error) = Run("Get \"https://hub.example.com/v2/\": the moon is in the way");

        Assert.Equal(1, code);
        Assert.Empty(output);
        Assert.Contains("This message is not known.", error, StringComparison.Ordinal);
        Assert.Contains("\"gateway doctor --client https://hub.example.com\"", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_UnknownMessageWithJson_IsJson()
    {
        var (code, output, _) = Run("the moon is in the way", isJson: true);

        Assert.Equal(1, code);
        var root = JsonDocument.Parse(output).RootElement;
        Assert.False(root.GetProperty("known").GetBoolean());
        Assert.Equal("gateway doctor --client https://HOST", root.GetProperty("suggestion").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    public void Run_NoText_SaysSo(string text)
    {
        var (code, _, error) = Run(text);

        Assert.Equal(1, code);
        Assert.StartsWith("There is no text.", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TLS004", "TLS004")]
    [InlineData(" tls004\n", "TLS004")]
    [InlineData("TLS0045", null)]
    [InlineData("TLS004 is what I see", null)]
    public void Run_IdOfACheck_PrintsItsPage(string text, string? expected)
    {
        string? asked = null;
        using var output = new StringWriter();
        using var error = new StringWriter();

        var code = ExplainCommand.Run(text, false, id => { asked = id; return 5; }, output, error);

        Assert.Equal(expected, asked);
        Assert.Equal(expected is null ? 1 : 5, code);
    }

    [Fact]
    public void Run_HostileText_EchoesNoControlCharacters()
    {
        var (_, output, error) = Run(
            "\e]0;owned\a\e[2JGet \"https://hub.example.com\e[31m/v2/a\r\nb\0/manifests/1\": x509: certificate signed "
                + "by unknown authority \u202e");

        Assert.DoesNotContain(output + error, static one => (char.IsControl(one) && one != '\n') || one == '\u202e');
    }

    [Fact]
    public void Create_TextInSeveralWords_IsOneMessage()
    {
        var result = ExplainCommand.Create().Parse("manifest unknown --json");

        Assert.Empty(result.Errors);
    }

    private static (int Code, string Output, string Error) Run(string text, bool isJson = false)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = ExplainCommand.Run(text, isJson, null, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
