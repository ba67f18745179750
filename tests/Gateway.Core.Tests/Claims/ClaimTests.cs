using System.Text.Json;
using Gateway.Core.Claims;

namespace Gateway.Core.Tests.Claims;

public class ClaimTests
{
    private const string Token = """
        {"sub":"x","n":5,"b":true,"realm_access":{"roles":["a","b"]},"kubernetes.io":{"namespace":"prod"},
         "https://example.com/groups":["g"],"a.b":"whole","a":{"b":"nested","c":"deep"},"mixed":["a",{}],"empty":"","null":null}
        """;

    private static readonly JsonElement Claims = JsonDocument.Parse(Token).RootElement;

    [Theory]
    [InlineData("sub", "x")]
    [InlineData("n", "5")]
    [InlineData("b", "true")]
    [InlineData("kubernetes.io.namespace", "prod")]
    [InlineData("a.b", "whole")] // the longest name that exists
    [InlineData("a.c", "deep")]
    [InlineData("a", null)]
    [InlineData("null", null)]
    [InlineData("sub.x", null)]
    [InlineData("missing", null)]
    [InlineData("realm_access.roles", null)]
    [InlineData(".", null)]
    [InlineData("a.", null)]
    public void Path_FindText(string path, string? expected) =>
        Assert.Equal(expected, ClaimPath.Parse(path)!.FindText(Claims));

    [Theory]
    [InlineData("realm_access.roles", "a,b")]
    [InlineData("https://example.com/groups", "g")]
    [InlineData("sub", "x")]
    [InlineData("mixed", null)] // never half of them
    [InlineData("missing", null)]
    public void Path_FindTexts(string path, string? expected) =>
        Assert.Equal(expected, ClaimPath.Parse(path)!.FindTexts(Claims) is { } texts ? string.Join(',', texts) : null);

    [Theory]
    [InlineData("")]
    [InlineData(" a")]
    [InlineData("a\n")]
    public void Path_Parse_Nonsense_IsNull(string text) => Assert.Null(ClaimPath.Parse(text));

    [Theory]
    [InlineData("{sub}", "x")]
    [InlineData("ci-{sub}-{kubernetes.io.namespace}!", "ci-x-prod!")]
    [InlineData("plain", "plain")]
    [InlineData("{empty}", null)] // half a name would be another's
    [InlineData("a-{missing}", null)]
    [InlineData("{realm_access.roles}", null)]
    public void Template_Render(string text, string? expected)
    {
        Assert.True(ClaimTemplate.TryParse(text, out var template));
        Assert.Equal(expected, template.Render(Claims, out var missing));
        Assert.Equal(expected is null, missing is not null);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("}")]
    [InlineData("{}")]
    [InlineData("a}b{sub}")]
    [InlineData("{a{b}}")]
    [InlineData("{ sub}")]
    public void Template_Parse_Nonsense_IsRefused(string text) => Assert.False(ClaimTemplate.TryParse(text, out _));
}
