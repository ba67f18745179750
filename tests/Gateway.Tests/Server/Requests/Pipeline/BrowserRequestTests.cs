using Gateway.Server.Requests.Pipeline;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Gateway.Tests.Server.Requests.Pipeline;

public sealed class BrowserRequestTests
{
    private const string Own = "https://registry.test:8443";

    [Fact]
    public void FindFault_NoBrowser_IsNone() => Assert.Null(BrowserRequest.FindFault(Request(), Own));

    [Theory]
    [InlineData(Own, null)]
    [InlineData(Own, "same-origin")]
    [InlineData(null, "same-origin")]
    [InlineData(null, "none")]
    public void FindFault_OwnPage_IsNone(string? origin, string? site) =>
        Assert.Null(BrowserRequest.FindFault(Request(origin, site), Own));

    [Theory]
    [InlineData("https://evil.test", null)]
    [InlineData("https://registry.test", null)] // another port is another origin
    [InlineData("http://registry.test:8443", null)]
    [InlineData("https://registry.test:8443.evil.test", null)]
    [InlineData("HTTPS://registry.test:8443", null)] // browsers send one spelling only
    [InlineData("null", null)]
    [InlineData("", null)]
    [InlineData(null, "cross-site")]
    [InlineData(null, "same-site")] // a neighbour's page
    [InlineData(null, "same-origin, none")]
    [InlineData(Own, "cross-site")]
    public void FindFault_AnotherPage_IsToldWhereThisIs(string? origin, string? site) =>
        Assert.EndsWith(
            $"this origin is {Own}", BrowserRequest.FindFault(Request(origin, site), Own), StringComparison.Ordinal);

    [Fact]
    public void FindFault_TwoOrigins_AreNobodys()
    {
        var request = Request();
        request.Headers.Origin = new StringValues([Own, Own]);

        Assert.NotNull(BrowserRequest.FindFault(request, Own));
    }

    [Theory]
    [InlineData("application/json", true)]
    [InlineData("Application/JSON; charset=utf-8", true)]
    [InlineData(null, false)]
    [InlineData("text/plain", false)] // the three that a page elsewhere may send unasked
    [InlineData("application/x-www-form-urlencoded", false)]
    [InlineData("multipart/form-data; boundary=application/json", false)]
    [InlineData("application/json, text/plain", false)]
    [InlineData("application/jsonx", false)]
    public void IsJson_OnlyJson_IsTrue(string? type, bool expected)
    {
        var request = Request();
        request.Headers.ContentType = type;

        Assert.Equal(expected, BrowserRequest.IsJson(request));
    }

    private static HttpRequest Request(string? origin = null, string? site = null)
    {
        var request = new DefaultHttpContext().Request;
        if (origin is not null)
        {
            request.Headers.Origin = origin;
        }

        if (site is not null)
        {
            request.Headers["Sec-Fetch-Site"] = site;
        }

        return request;
    }
}
