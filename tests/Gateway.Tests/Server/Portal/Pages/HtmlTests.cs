using Gateway.Core.Tokens;
using Gateway.Server.Portal.Pages;

namespace Gateway.Tests.Server.Portal.Pages;

/// <summary>What people's names and tokens' names can put into a page, and where a sign-in can lead.</summary>
public sealed class HtmlTests
{
    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("\" onmouseover=\"alert(1)")]
    [InlineData("' autofocus onfocus='alert(1)")]
    [InlineData("&lt;b&gt;")]
    public void Of_Text_IsEncodedAlsoInAnAttribute(string text)
    {
        var html = Html.Of($"<a title=\"{text}\">{text}</a>").ToString();

        Assert.Equal(2, html.Count(static c => c == '<'));
        Assert.Equal(2, html.Count(static c => c == '"'));
        Assert.DoesNotContain('\'', html);
        Assert.Equal(
            text, System.Net.WebUtility.HtmlDecode(html[(html.IndexOf('>', StringComparison.Ordinal) + 1)..^4]));
    }

    [Fact]
    public void Of_HtmlInHtml_StaysAsItIs() =>
        Assert.Equal("<p><b>&amp;</b></p>", Html.Of($"<p>{Html.Of($"<b>{"&"}</b>")}</p>").ToString());

    [Theory]
    [InlineData(null, "/account")]
    [InlineData("", "/account")]
    [InlineData("/account", "/account")]
    [InlineData("/device", "/device")]
    [InlineData("/device?user_code=BCDF-GHJK", "/account")]
    [InlineData("/device?user_code=\r\nSet-Cookie: a=b", "/account")]
    [InlineData("//evil.test/device", "/account")]
    [InlineData("https://evil.test/device", "/account")]
    [InlineData("/\\evil.test", "/account")]
    [InlineData("/v2/", "/account")]
    public void ReturnPath_OfAnything_IsOneOfOurPages(string? text, string expected) =>
        Assert.Equal(expected, ReturnPath.Accept(text));

    [Fact]
    public void ReturnPath_WithACode_HasTheCodeAlone()
    {
        var code = UserCode.Create().ToString();
        var page = "/device?user_code=" + code;
        Assert.Equal(page, ReturnPath.Accept(page));
        Assert.Equal(page, ReturnPath.Accept(page.Replace(code, code.ToLowerInvariant(), StringComparison.Ordinal)));
        Assert.Equal("/account", ReturnPath.Accept(page + "&next=https://evil.test"));
        Assert.Equal("/account", ReturnPath.Accept(page + "#"));
    }
}
