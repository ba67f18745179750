using System.Net;
using System.Security.Cryptography;
using System.Text;
using Gateway.Server.SignIn.Oidc;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Tests.Server.SignIn.Oidc;

/// <summary>What binds the answer of a provider to the browser, the host and the sign-in that asked for it.</summary>
public sealed class OidcCodeFlowTests : IAsyncLifetime
{
    private const string SecondOrigin = $"https://{TestGateway.Host}:8443";

    private OidcStage _stage = null!;

    public async Task InitializeAsync() =>
        _stage = await OidcStage.StartAsync(static options => options.Hosts = [TestGateway.Host + ":8443"]);

    public async Task DisposeAsync() => await _stage.DisposeAsync();

    [Fact]
    public async Task SecondPublicHost_SignIn_ComesBackThereAndHoldsThere()
    {
        var browser = _stage.NewBrowser();
        var callback = await _stage.BeginAsync(browser, "/device", SecondOrigin);
        var there = callback[SecondOrigin.Length..];
        Assert.Equal(HttpStatusCode.BadRequest, (await _stage.NewBrowser().GetAsync(there)).StatusCode);

        var done = await browser.GetAsync(callback);

        Assert.Equal(HttpStatusCode.SeeOther, done.StatusCode);
        Assert.Equal("/device", done.Headers.Location!.ToString());
        Assert.Equal(SecondOrigin + "/sign-in/corp/callback", _stage.Asked[^1]["redirect_uri"]);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync(SecondOrigin + "/account")).StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).StatusCode); // another host's

        // The neighbour: the first host, in the same gateway.
        Assert.Equal(HttpStatusCode.SeeOther, (await _stage.SignInAsync(_stage.NewBrowser())).StatusCode);
        Assert.Equal($"https://{TestGateway.Host}/sign-in/corp/callback", _stage.Asked[^1]["redirect_uri"]);
    }

    [Fact]
    public async Task RedirectUri_IsThePublicHosts_HoweverItWasWritten()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{TestGateway.Host}/sign-in/corp");
        request.Headers.Host = "Registry.TEST:443";
        var begun = await _stage.Gateway.Client.SendAsync(request);
        Assert.Equal(
            $"https://{TestGateway.Host}/sign-in/corp/callback",
            QueryHelpers.ParseQuery(begun.Headers.Location!.Query)["redirect_uri"]);
    }

    [Theory]
    [InlineData("", null)] // left out
    [InlineData("select_account", "select_account")]
    [InlineData(null, "consent")]
    public async Task Parameters_OfTheOperator_GoAlong(string? prompt, string? sent)
    {
        var gateway = await _stage.AddGatewayAsync(oidc: provider =>
        {
            provider.Parameters["access_type"] = "offline";
            if (prompt is not null)
            {
                provider.Parameters["prompt"] = prompt;
            }
        });
        var begun = await _stage.NewBrowser(gateway).GetAsync("/sign-in/corp");
        var asked = QueryHelpers.ParseQuery(begun.Headers.Location!.Query);
        Assert.Equal("offline", asked["access_type"]);
        Assert.Equal(sent, asked.TryGetValue("prompt", out var found) ? found.ToString() : null);
        Assert.DoesNotContain(asked.Keys, static name => name.StartsWith("x-client", StringComparison.Ordinal));
        Assert.DoesNotContain("response_mode", asked.Keys);
    }

    [Fact]
    public async Task Nonce_OfAnotherSignInOfTheSameBrowser_SignsNobodyIn()
    {
        var browser = _stage.NewBrowser();
        await _stage.BeginAsync(browser);
        var another = _stage.Nonce;
        var callback = await _stage.BeginAsync(browser);
        Assert.NotEqual(another, _stage.Nonce);
        _stage.Nonce = another;

        var answer = await browser.GetAsync(callback);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("nonce", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("__Host-session", browser.Cookies.Keys);
        Assert.Equal(HttpStatusCode.SeeOther, (await _stage.SignInAsync(browser)).StatusCode);
    }

    [Fact]
    public async Task State_ChangedInOneCharacter_SignsNobodyIn()
    {
        var browser = _stage.NewBrowser();
        var callback = await _stage.BeginAsync(browser);
        var start = callback.IndexOf("state=", StringComparison.Ordinal);
        foreach (var at in new[] { callback.Length - 1, callback.Length - 40, start + 60 })
        {
            var changed = $"{callback[..at]}{(callback[at] == 'A' ? 'B' : 'A')}{callback[(at + 1)..]}";
            Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(changed)).StatusCode);
        }

        Assert.DoesNotContain("__Host-session", browser.Cookies.Keys);
        Assert.Empty(_stage.Asked);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync(callback)).StatusCode);
    }

    [Theory]
    [InlineData("&code=another", 403)]
    [InlineData("&state=another", 403)]
    [InlineData("&session_state=a&session_state=b", 403)]
    [InlineData("&id_token=e30.e30.", 400)]
    [InlineData("&access_token=a", 400)]
    [InlineData("&session_state=a", 303)]
    public async Task Answer_ThatSaysSomethingTwiceOrBringsTokens_SignsNobodyIn(string more, int status)
    {
        var browser = _stage.NewBrowser();
        Assert.Equal(status, (int)(await _stage.SignInAsync(browser, more: more)).StatusCode);
        Assert.Equal(status == 303, browser.Cookies.ContainsKey("__Host-session"));
        Assert.Equal(status == 303 ? 1 : 0, _stage.Asked.Count);
    }

    [Fact]
    public async Task Answer_WithoutACode_SignsNobodyIn()
    {
        var browser = _stage.NewBrowser();
        var callback = (await _stage.BeginAsync(browser)).Replace("code=abc&", "", StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync(callback)).StatusCode);
        Assert.DoesNotContain("__Host-session", browser.Cookies.Keys);
    }

    [Fact]
    public async Task Answer_Posted_IsNotRead()
    {
        var browser = _stage.NewBrowser();
        var callback = await _stage.BeginAsync(browser);
        var parts = callback.Split('?');
        var form = new FormUrlEncodedContent(
            QueryHelpers.ParseQuery(parts[1]).Select(static one => KeyValuePair.Create(one.Key, one.Value.ToString())));
        Assert.Equal(
            HttpStatusCode.MethodNotAllowed, (await browser.SendAsync(HttpMethod.Post, parts[0], form)).StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync(callback)).StatusCode);
    }

    [Fact]
    public async Task Code_OfAnotherSignIn_IsRefusedByPkce()
    {
        // A provider that enforces RFC 7636, section 4.6.
        var challenges = new Dictionary<string, string>();
        _stage.OnToken = form =>
            challenges.GetValueOrDefault(form["code"].ToString()) == Challenge(form["code_verifier"].ToString()) ? null
                : (400, """{"error":"invalid_grant","error_description":"PKCE verification failed"}""");
        await _stage.BeginAsync(_stage.NewBrowser());
        challenges["stolen"] = _stage.Challenge!;
        var browser = _stage.NewBrowser();
        var callback = await _stage.BeginAsync(browser);
        challenges["abc"] = _stage.Challenge!;
        Assert.NotEqual(challenges["stolen"], challenges["abc"]);

        var answer = await browser.GetAsync(callback.Replace("code=abc", "code=stolen", StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains(
            _stage.Log.Lines, static line => line.Contains("PKCE verification failed", StringComparison.Ordinal));
        Assert.DoesNotContain("__Host-session", browser.Cookies.Keys);
        callback = await _stage.BeginAsync(browser);
        challenges["abc"] = _stage.Challenge!;
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync(callback)).StatusCode);
    }

    [Fact]
    public async Task ManyBegunSignIns_LeaveFewCookies_AndTheLatestGoOn()
    {
        var browser = _stage.NewBrowser();
        browser.Cookies["__Host-other"] = "stays";
        var begun = new List<(string Callback, string Nonce)>();
        for (var i = 0; i < 30; i++)
        {
            begun.Add((await _stage.BeginAsync(browser), _stage.Nonce!));
            Assert.InRange(browser.Cookies.Sum(static one => one.Key.Length + one.Value.Length + 3), 1, 700);
        }

        Assert.Equal(
            OidcEvents.MostBegun,
            browser.Cookies.Keys.Count(static name => name.StartsWith("__Host-sign-in-", StringComparison.Ordinal)));
        Assert.Equal("stays", browser.Cookies["__Host-other"]);

        // Without these a browser takes no cookie of that prefix, nor its end.
        Assert.All(browser.Lines.Values, static line => Assert.All(
            ["; path=/", "; secure"], part => Assert.Contains(part, line, StringComparison.OrdinalIgnoreCase)));

        var forgotten = await browser.GetAsync(begun[^(OidcEvents.MostBegun + 1)].Callback);
        Assert.Equal(HttpStatusCode.BadRequest, forgotten.StatusCode);
        Assert.Contains("Start again", await forgotten.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        // Two tabs at once are nothing unusual: the oldest that is kept, and the latest.
        foreach (var one in new[] { begun[^OidcEvents.MostBegun], begun[^1] })
        {
            _stage.Nonce = one.Nonce;
            Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync(one.Callback)).StatusCode);
        }
    }

    [Theory]
    [InlineData("error=access_denied&iss=https%3A%2F%2Fevil.example", "came from a provider other than")] // errors too
    [InlineData("error=access_denied", "corp refused the sign-in")]
    [InlineData("error=server_error&error_description=later", "the error &quot;server_error&quot;")]
    public async Task Error_InTheAnswer_IsToldAsWhatItIs(string answered, string told)
    {
        var begun = await _stage.BeginAsync(_stage.NewBrowser());
        var callback = begun.Replace("code=abc", answered, StringComparison.Ordinal);
        var elsewhere = await (await _stage.NewBrowser().GetAsync(callback)).Content.ReadAsStringAsync();
        Assert.Equal(
            answered.Contains("evil", StringComparison.Ordinal), elsewhere.Contains(told, StringComparison.Ordinal));

        var browser = _stage.NewBrowser();
        callback = (await _stage.BeginAsync(browser)).Replace("code=abc", answered, StringComparison.Ordinal);
        var answer = await browser.GetAsync(callback);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains(told, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Error_WithControlCharacters_ReachesNoLogLineAsItIs()
    {
        var browser = _stage.NewBrowser();
        var callback = (await _stage.BeginAsync(browser)).Replace(
            "code=abc",
            "error=%1B%5B31mforged&error_description=a%0D%0Aforged+line&error_uri=%1B%5D0%3Bx",
            StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, (await browser.GetAsync(callback)).StatusCode);

        Assert.Contains(_stage.Log.Lines, static line => line.Contains(
            """\u001B[31mforged (a\u000D\u000Aforged line)""", StringComparison.Ordinal));
        Assert.All(_stage.Log.Lines, static line => Assert.DoesNotContain(line, char.IsControl));
    }

    private static string Challenge(string verifier) =>
        System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
}
