using System.Net;
using Gateway.Server.Requests.Cors;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Requests.Cors;

/// <summary>
/// When the token endpoint makes a browser ask for a password although anonymous callers may do something (the default
/// policy lets them pull <c>public/**</c>).
/// </summary>
public sealed class BrowserPromptTests
{
    private const string Ui = "https://ui.test";
    private const string Catalog = "registry:catalog:*";
    private const string Public = "repository:public/app:pull";
    private const string Private = "repository:team-a/app:pull";

    [Theory]
    [InlineData(Ui, null, Catalog, true)]
    [InlineData(Ui, null, Public + " " + Catalog, true)]
    [InlineData(Ui, null, Public + " " + Private, true)] // less than asked
    [InlineData(Ui, null, "repository:public/app:pull,push", true)]
    [InlineData(Ui, null, "repository:public/app:delete", true)]
    [InlineData(Ui, null, Public, false)] // all that was asked: nobody is asked for a password
    [InlineData(Ui, TestGateway.Nobody, Catalog, false)] // has been asked: it is nobody
    [InlineData(Ui, "bob", Catalog, false)]
    [InlineData(Ui, "bob", Public + " repository:team-b/app:pull", false)] // signed in: asking again gives no more
    [InlineData("https://ui.example.com", null, Catalog, false)] // by the wildcard alone
    [InlineData("https://UI.test", null, Catalog, false)]
    [InlineData("https://evil.test", null, Catalog, false)]
    [InlineData("null", null, Catalog, false)]
    [InlineData(null, null, Catalog, false)] // no page
    public async Task Token_AskedByThisPage_IsRefusedForABasicPromptOnlyWhereSigningInMayGiveMore(
        string? origin, string? user, string scope, bool asks)
    {
        var reply = await AskAsync(
            new CorsOptions { Origins = [Ui, "https://*.example.com"], Credentials = true }, origin, user, scope);

        Assert.Equal(
            asks ? (HttpStatusCode.Unauthorized, "Basic realm=\"registry.test\"") : (HttpStatusCode.OK, null),
            (reply.Status, reply.Challenge));
    }

    [Theory]
    [InlineData(Ui, false)] // no credentials of the browser's for any page
    [InlineData("*", false)]
    public async Task Token_WherePagesMayNotUseTheBrowsersPassword_IsNobodys(string allowed, bool credentials)
    {
        var reply = await AskAsync(
            new CorsOptions { Origins = [allowed], Credentials = credentials }, Ui, null, Catalog);

        Assert.Equal((HttpStatusCode.OK, null), (reply.Status, reply.Challenge));
    }

    [Fact]
    public async Task Registry_AskedByThePage_KeepsItsOneBearerChallenge()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(
            upstream.Address,
            change: static options => options.Cors = new CorsOptions { Origins = [Ui], Credentials = true });

        using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/_catalog?n=1000", null, null, ("Origin", Ui));

        Assert.Equal(
            "Bearer realm=\"https://registry.test/token\",service=\"registry.test\",scope=\"registry:catalog:*\"",
            answer.Headers.GetValues("WWW-Authenticate").Single());
    }

    private static async Task<TokenAnswers.Reply> AskAsync(CorsOptions cors, string? origin, string? user, string scope)
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(
            upstream.Address, change: options => options.Cors = cors);
        var query = "?service=registry.test" + string.Concat(scope.Split(' ').Select(static one => "&scope=" + one));
        return await gateway.AskAsync(
            query, user is null ? null : TestGateway.Basic(user), origin is null ? [] : [("Origin", origin)]);
    }
}
