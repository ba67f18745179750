using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Core.Tokens;
using Gateway.Server.SignIn.Issuers;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.State;
using Gateway.Tests.Server.SignIn.Issuers;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.SignIn.Oidc;

/// <summary>The code flow against a provider that lies in one thing at a time.</summary>
public sealed class OidcSignInTests : IAsyncLifetime
{
    private OidcStage _stage = null!;

    public async Task InitializeAsync() => _stage = await OidcStage.StartAsync();

    public async Task DisposeAsync() => await _stage.DisposeAsync();

    [Theory]
    [InlineData("o'brien@corp.test")]
    [InlineData("ann$x")]
    public async Task Account_DockerLoginAsPrinted_NamesThePersonInAShell(string name)
    {
        _stage.More = new JsonObject { ["preferred_username"] = name };
        var browser = _stage.NewBrowser();
        await _stage.SignInAsync(browser);

        var page = await (await browser.GetAsync("/account")).Content.ReadAsStringAsync();

        var start = page.IndexOf("<pre id=\"login\">", StringComparison.Ordinal) + "<pre id=\"login\">".Length;
        var line = WebUtility.HtmlDecode(page[start..page.IndexOf("</pre>", start, StringComparison.Ordinal)]);
        Assert.Equal($"docker\nlogin\nregistry.test\n-u\n{name}\n", await ShellReader.WordsOfAsync(line));
    }

    [Fact]
    public async Task Blocked_Person_HasNoSessionNorToken_AndCannotSignIn()
    {
        var browser = _stage.NewBrowser();
        await _stage.SignInAsync(browser);
        var (token, revoked) = (await OidcStage.MakeTokenAsync(browser), await OidcStage.MakeTokenAsync(browser));
        await _stage.Gateway.BlockAsync("user:alice");

        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).StatusCode); // to the sign-in
        Assert.Equal(HttpStatusCode.Unauthorized, (await _stage.LogInAsync("alice", token)).StatusCode);
        var another = _stage.NewBrowser();
        var refused = await _stage.SignInAsync(another);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains(
            "user:alice is blocked by the operator of this registry", await refused.Content.ReadAsStringAsync(),
            StringComparison.Ordinal);
        Assert.DoesNotContain("__Host-session", another.Cookies.Keys);

        // Somebody whose name only ends alike.
        _stage.More = new JsonObject { ["sub"] = "sub-of-another", ["preferred_username"] = "malice" };
        Assert.Equal(HttpStatusCode.SeeOther, (await _stage.SignInAsync(_stage.NewBrowser())).StatusCode);

        var (id, now) = ((await _stage.Store.FindAsync(SecretHash.Of(revoked), default))!.Id, _stage.Clock.GetUtcNow());
        await _stage.Store.RevokeAsync(id, now, default);
        await _stage.Gateway.UnblockAsync("user:alice");

        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/account")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _stage.LogInAsync("alice", token)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _stage.LogInAsync("alice", revoked)).StatusCode);
    }

    [Fact]
    public async Task SignIn_WholeWay_EndsOnTheAccountWithASessionAndAWorkingToken()
    {
        var browser = _stage.NewBrowser();
        var begun = await browser.GetAsync("/sign-in/corp");
        var asked = QueryHelpers.ParseQuery(begun.Headers.Location!.Query);
        Assert.StartsWith(
            _stage.Issuer.Url + "/authorize?", begun.Headers.Location.ToString(), StringComparison.Ordinal);
        Assert.Equal("S256", asked["code_challenge_method"]);
        Assert.Equal("code", asked["response_type"]);
        Assert.Equal($"https://{TestGateway.Host}/sign-in/corp/callback", asked["redirect_uri"]);
        Assert.Equal("openid profile email offline_access", asked["scope"]);
        Assert.Equal("consent", asked["prompt"]);
        Assert.NotEmpty(asked["nonce"].ToString());
        var correlation = browser.Lines.Single(static line => line.Key.Contains("sign-in", StringComparison.Ordinal));
        // no neighbour under the same domain can set one
        Assert.StartsWith("__Host-", correlation.Key, StringComparison.Ordinal);
        Assert.All(
            ["; secure", "; path=/;"],
            part => Assert.Contains(part, correlation.Value.ToLowerInvariant() + ";", StringComparison.Ordinal));

        var done = await _stage.SignInAsync(browser);
        Assert.Equal(HttpStatusCode.SeeOther, done.StatusCode);
        Assert.Equal("/account", done.Headers.Location!.ToString());
        var cookie = browser.Lines["__Host-session"].ToLowerInvariant();
        Assert.All(
            ["; secure", "; httponly", "; samesite=lax", "; path=/"],
            part => Assert.Contains(part, cookie, StringComparison.Ordinal));
        Assert.DoesNotContain("domain=", cookie, StringComparison.Ordinal);

        var form = _stage.Asked[^1];
        Assert.Equal(43, form["code_verifier"].ToString().Length);

        var page = await (await browser.GetAsync("/account")).Content.ReadAsStringAsync();
        Assert.Contains($"docker login {TestGateway.Host} -u alice", page, StringComparison.Ordinal);
        var secret = await OidcStage.MakeTokenAsync(browser);
        Assert.DoesNotContain(
            secret, await (await browser.GetAsync("/account")).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var answer = await _stage.LogInAsync("alice", secret);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var scope = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement
            .GetProperty("scope")
            .GetString();
        Assert.Contains("repository:team-a/app:pull,push", scope, StringComparison.Ordinal);
        // by the group that the provider tells
        Assert.Contains("repository:dev/app:pull", scope, StringComparison.Ordinal);

        // A session's secret is a cookie and nothing else.
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await _stage.LogInAsync("alice", browser.Cookies["__Host-session"])).StatusCode);
        Assert.All(_stage.Log.Lines, line =>
        {
            Assert.DoesNotContain("provider-", line, StringComparison.Ordinal);
            Assert.DoesNotContain("rgs_", line, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, line, StringComparison.Ordinal);
        });
    }

    public static TheoryData<string, string, string> Lies => new()
    {
        { "another nonce", """{"nonce":"of another sign-in"}""", "nonce" },
        { "no nonce", """{"nonce":null}""", "nonce" },
        { "another audience", """{"aud":"somebody else"}""", "audience" },
        { "further audience without azp", """{"aud":["gateway","evil"]}""", "azp" },
        { "azp of another client", """{"aud":["gateway","evil"],"azp":"evil"}""", "azp" },
        { "azp alone of another client", """{"azp":"evil"}""", "azp" },
        { "another issuer", """{"iss":"https://evil.example"}""", "another issuer" },
        { "expired", """{"exp":1700000000}""", "expired" },
        { "from the future", """{"iat":4000000000,"nbf":4000000000}""", "clock" },
        { "no sub", """{"sub":null}""", "no sub" },
        { "at_hash of another access token", """{"at_hash":"AAAAAAAAAAAAAAAAAAAAAA"}""", "at_hash" },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task IdToken_ThatLies_SignsNobodyInAndSaysWhy(string lie, string more, string word)
    {
        _stage.More = JsonNode.Parse(more)!.AsObject();
        var browser = _stage.NewBrowser();
        var answer = await _stage.SignInAsync(browser);
        var page = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Forbidden, lie + page);
        Assert.Contains(word, page, StringComparison.Ordinal);
        Assert.DoesNotContain("__Host-session", browser.Cookies.Keys);
        Assert.Contains(
            _stage.Log.Lines, line => line.Contains("a sign-in through oidc:corp failed", StringComparison.Ordinal)
            && (lie is not "another audience" || line.Contains("clientId", StringComparison.Ordinal))
            && (word != "clock" || line.Contains("NTP", StringComparison.Ordinal)));
        Assert.Empty(await _stage.Store.ListAsync(null, default));

        // The neighbour: the same without the lie.
        _stage.More = [];
        Assert.Equal(HttpStatusCode.SeeOther, (await _stage.SignInAsync(browser)).StatusCode);
    }

    [Fact]
    public async Task IdToken_RightAzpAndAtHash_AreAccepted()
    {
        var hash = SHA256.HashData("provider-access-token"u8.ToArray());
        _stage.More = new JsonObject
        {
            ["aud"] = new JsonArray("gateway", "another"),
            ["azp"] = "gateway",
            ["at_hash"] = System.Buffers.Text.Base64Url.EncodeToString(hash.AsSpan(0, 16)),
        };
        Assert.Equal(HttpStatusCode.SeeOther, (await _stage.SignInAsync(_stage.NewBrowser())).StatusCode);
    }

    [Fact]
    public async Task IdToken_SignedByAnotherKeyOrNone_SignsNobodyIn()
    {
        foreach (var forge in new Func<string>[]
        {
            () => { using var other = RSA.Create(2048); return Resigned(other); },
            () => OidcHandlerForgery.None(_stage.Claims()),
            () => "not a token",
        })
        {
            _stage.OnToken = _ => (200, JsonSerializer.Serialize(new { access_token = "x", id_token = forge() }));
            Assert.Equal(HttpStatusCode.Forbidden, (await _stage.SignInAsync(_stage.NewBrowser())).StatusCode);
        }

        _stage.OnToken = static _ => (200, """{"access_token":"x"}""");
        Assert.Equal(HttpStatusCode.Forbidden, (await _stage.SignInAsync(_stage.NewBrowser())).StatusCode);
    }

    [Fact]
    public async Task Keys_Rotated_ArePickedUpByThemselves()
    {
        await _stage.SignInAsync(_stage.NewBrowser());
        _stage.Issuer.Rotate();
        IssuerMetadata Metadata() => _stage.Gateway.Services.GetServices<IssuerMetadata>().Single();
        var before = _stage.Issuer.KeyRequests;

        // At most once in half a minute by what strangers send; a person waits for it once.
        for (var i = 0; i < 5; i++)
        {
            await _stage.SignInAsync(_stage.NewBrowser());
        }

        _stage.Clock.AdvanceMeasured(TimeSpan.FromSeconds(31));
        await Eventually.TrueAsync(
            async () => (await _stage.SignInAsync(_stage.NewBrowser())).StatusCode == HttpStatusCode.SeeOther,
            TimeSpan.FromSeconds(60));
        Assert.InRange(_stage.Issuer.KeyRequests - before, 1, 3);
        Assert.True(Metadata().IsUp);
    }

    [Fact]
    public async Task State_OfAnotherBrowserOrForgedOrUsed_SignsNobodyIn()
    {
        // An attacker's own callback, put into the victim's browser: it would sign the victim in as the attacker.
        var attackers = await _stage.BeginAsync(_stage.NewBrowser());
        var victim = _stage.NewBrowser();
        var answer = await victim.GetAsync(attackers);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(
            "not started in this browser", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await _stage.BeginAsync(victim); // also where the victim is about to sign in himself
        Assert.Equal(HttpStatusCode.BadRequest, (await victim.GetAsync(attackers)).StatusCode);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await victim.GetAsync("/sign-in/corp/callback?code=abc&state=forged")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await victim.GetAsync("/sign-in/corp/callback?code=abc")).StatusCode);
        Assert.DoesNotContain("__Host-session", victim.Cookies.Keys);

        var mine = await _stage.BeginAsync(victim);
        Assert.Equal(HttpStatusCode.SeeOther, (await victim.GetAsync(mine)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await victim.GetAsync(mine)).StatusCode); // once
    }

    [Theory]
    [InlineData("&iss=https%3A%2F%2Fevil.example", false, 403)]
    [InlineData("", true, 403)] // it promises to name itself
    [InlineData("&iss=ISSUER", true, 303)]
    [InlineData("&iss=ISSUER", false, 303)]
    [InlineData("&iss=ISSUER&iss=ISSUER", true, 403)]
    [InlineData("", false, 303)]
    public async Task Iss_InTheAnswer_MustBeTheProviders(string more, bool isPromised, int status)
    {
        if (isPromised)
        {
            _stage.Issuer.MoreOfDocument["authorization_response_iss_parameter_supported"] = true;
        }

        var gateway = await _stage.AddGatewayAsync(); // reads the document anew
        var answer = await _stage.SignInAsync(
            _stage.NewBrowser(gateway),
            more: more.Replace("ISSUER", Uri.EscapeDataString(_stage.Issuer.Url), StringComparison.Ordinal));
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task UserInfo_OfAnotherSub_SignsNobodyIn()
    {
        _stage.Issuer.MoreOfDocument["userinfo_endpoint"] = _stage.Issuer.Url + "/userinfo";
        var (subject, authorization) = ("sub-of-mallory", "");
        _stage.Issuer.Endpoints["/userinfo"] = context =>
        {
            authorization = context.Request.Headers.Authorization.ToString();
            return context.Response.WriteAsync(
                JsonSerializer.Serialize(
                    new { sub = subject, preferred_username = "alice", groups = new[] { "devs" } }));
        };
        var gateway = await _stage.AddGatewayAsync();
        _stage.More = new JsonObject { ["preferred_username"] = null, ["groups"] = null };
        var browser = _stage.NewBrowser(gateway);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _stage.SignInAsync(browser)).StatusCode);
        Assert.DoesNotContain("__Host-session", browser.Cookies.Keys);

        // The neighbour: his own, from where what the ID token lacks is taken, and nothing that stands there is
        // replaced.
        subject = "sub-of-alice";
        _stage.More = new JsonObject { ["preferred_username"] = null, ["groups"] = new JsonArray("signed") };
        Assert.Equal(HttpStatusCode.SeeOther, (await _stage.SignInAsync(browser)).StatusCode);
        Assert.Equal("Bearer provider-access-token", authorization);
        Assert.Contains(
            "in the groups signed", await (await browser.GetAsync("/account")).Content.ReadAsStringAsync(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("36501")]
    [InlineData("2147483647")]
    [InlineData("-1")]
    [InlineData("week")]
    public async Task Token_WithALifeThatCannotBe_IsTheFormsFault(string days)
    {
        var browser = _stage.NewBrowser();
        await _stage.SignInAsync(browser);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await browser.PostFormAsync(
                "/account", "/account/tokens", ("name", "laptop"), ("days", days))).StatusCode);
    }

    [Theory]
    [InlineData("token")]
    [InlineData("userinfo")]
    public async Task HalfACharacter_FromTheProvider_IsItsFault(string endpoint)
    {
        // JSON may escape half of one, which no text can be.
        const string half = "{\"sub\":\"sub-of-alice\",\"access_token\":\"a\",\"id_token\":\"\\ud800\"}";
        _stage.Issuer.MoreOfDocument["userinfo_endpoint"] = _stage.Issuer.Url + "/userinfo";
        _stage.Issuer.Endpoints["/userinfo"] = static context => context.Response.WriteAsync(half);
        var gateway = await _stage.AddGatewayAsync();
        _stage.More = new JsonObject { ["preferred_username"] = null };
        _stage.OnToken = endpoint == "token" ? static _ => (200, half) : null;
        Assert.Equal(
            HttpStatusCode.ServiceUnavailable, (await _stage.SignInAsync(_stage.NewBrowser(gateway))).StatusCode);
    }

    [Fact]
    public async Task StateOfOneProvider_BroughtToAnother_SignsNobodyIn()
    {
        var gateway = await _stage.AddGatewayAsync(options => options.Authentication.Oidc["other"] = new OidcOptions
        {
            Issuer = _stage.Issuer.Url,
            ClientId = OidcStage.ClientId,
            ClientSecret = "client secret",
        });
        var browser = _stage.NewBrowser(gateway);
        var callback = await _stage.BeginAsync(browser);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await browser.GetAsync(callback.Replace("/corp/", "/other/", StringComparison.Ordinal))).StatusCode);
        Assert.DoesNotContain("__Host-session", browser.Cookies.Keys);
    }

    [Fact]
    public async Task Session_SignsInOnThePagesOnly()
    {
        var browser = _stage.NewBrowser();
        await _stage.SignInAsync(browser);
        foreach (var path in new[] { "/v2/", "/v2/team-a/app/tags/list", "/api/v1/tokens" })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync(path)).StatusCode);
        }

        var token = await browser.GetAsync($"/token?service={TestGateway.Host}&scope=repository:team-a/app:pull");
        Assert.DoesNotContain("team-a/app:pull", await token.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ProviderSaysNo_PersonIsTold()
    {
        var browser = _stage.NewBrowser();
        var callback = (await _stage.BeginAsync(browser)).Replace(
            "code=abc", "error=access_denied&error_description=<b>evil</b>", StringComparison.Ordinal);
        var answer = await browser.GetAsync(callback);
        var page = await answer.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("refused the sign-in", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>evil", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClientSecretWrong_PersonAndOperatorAreToldTheCause()
    {
        _stage.OnToken =
            static _ => (401, """{"error":"invalid_client","error_description":"client authentication failed"}""");
        var answer = await _stage.SignInAsync(_stage.NewBrowser());
        Assert.Contains("client secret", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains(_stage.Log.Lines, static line =>
            line.Contains("refuses the client", StringComparison.Ordinal)
                && line.Contains("clientSecretFile", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("\\\\evil.example")]
    [InlineData("/account@evil.example")]
    [InlineData("/account/../..//evil.example")]
    [InlineData("/account\r\nLocation: https://evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/%2f%2fevil.example")]
    [InlineData("/device?user_code=//evil.example")]
    [InlineData("/device?user_code=BBBB-BBBB-BBBB&next=//evil.example")]
    [InlineData("https:evil.example")]
    [InlineData(" /account")]
    [InlineData("/Account")]
    public async Task Return_ToAnythingButOurPages_LeadsToTheAccount(string target)
    {
        var answer = await _stage.SignInAsync(_stage.NewBrowser(), target);
        Assert.Equal("/account", answer.Headers.Location!.ToString());
    }

    [Fact]
    public async Task Return_ToOurPages_LeadsThere()
    {
        var code = UserCode.Create();
        Assert.Equal(
            "/device?user_code=" + code,
            (await _stage.SignInAsync(_stage.NewBrowser(), "/device?user_code=" + code)).Headers.Location!.ToString());
        Assert.Equal(
            "/device", (await _stage.SignInAsync(_stage.NewBrowser(), "/device")).Headers.Location!.ToString());
    }

    [Fact]
    public async Task Forms_WithoutTheirTokenOrFromElsewhere_DoNothing()
    {
        var browser = _stage.NewBrowser();
        await _stage.SignInAsync(browser);
        async Task<int> Made() =>
            (await _stage.Store.ListAsync(null, default)).Count(static one => one.Kind == CredentialKind.Personal);

        FormUrlEncodedContent Form() => new([new("name", "stolen"), new("days", "30")]);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await browser.SendAsync(HttpMethod.Post, "/account/tokens", Form())).StatusCode);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await browser.SendAsync(HttpMethod.Post, "/account/tokens", Form(), "https://evil.example")).StatusCode);
        Assert.Equal(
            HttpStatusCode.BadRequest, (await browser.SendAsync(HttpMethod.Post, "/sign-out", Form())).StatusCode);
        Assert.Equal(
            HttpStatusCode.MethodNotAllowed,
            (await browser.GetAsync("/account/tokens?name=stolen&days=30")).StatusCode);

        // A token of the attacker's own page in the victim's browser.
        var attacker = _stage.NewBrowser();
        _stage.More = new JsonObject { ["sub"] = "sub-of-eve", ["preferred_username"] = "eve" };
        await _stage.SignInAsync(attacker);
        var page = await (await attacker.GetAsync("/account")).Content.ReadAsStringAsync();
        var token = System.Text.RegularExpressions.Regex.Match(
            page, "__RequestVerificationToken\" value=\"([^\"]+)\"").Groups[1].Value;
        browser.Cookies["__Host-form"] = attacker.Cookies["__Host-form"];
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await browser.SendAsync(HttpMethod.Post, "/account/tokens", new FormUrlEncodedContent(
            [new("name", "stolen"), new("days", "30"), new("__RequestVerificationToken", token)]))).StatusCode);
        Assert.Equal(0, await Made());
        browser.Cookies.Remove("__Host-form");
        await OidcStage.MakeTokenAsync(browser);
        Assert.Equal(1, await Made());
    }

    [Fact]
    public async Task Pages_LetNothingElseIn()
    {
        var browser = _stage.NewBrowser();
        foreach (var path in new[] { "/sign-in", "/sign-out" })
        {
            var answer = await browser.GetAsync(path);
            var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
            Assert.Equal("same-origin", answer.Headers.GetValues("Referrer-Policy").Single());
        }

        Assert.Equal("/sign-in?return=%2Faccount", (await browser.GetAsync("/account")).Headers.Location!.ToString());
        browser.Cookies["__Host-session"] = "rgs_" + new string('0', 38);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).StatusCode);
    }

    [Fact]
    public async Task Session_IdleOrOldOrRevoked_IsOver()
    {
        var browser = _stage.NewBrowser();
        async Task<bool> IsIn() => (await browser.GetAsync("/account")).StatusCode == HttpStatusCode.OK;
        await _stage.SignInAsync(browser);
        Assert.True(await IsIn());
        _stage.Clock.Advance(TimeSpan.FromMinutes(119));
        Assert.True(await IsIn());
        await _stage.Gateway.Services.GetRequiredService<CredentialUses>().FlushAsync(default);
        _stage.Clock.Advance(TimeSpan.FromMinutes(119));
        Assert.True(await IsIn()); // used in between
        _stage.Clock.Advance(TimeSpan.FromMinutes(121));
        Assert.False(await IsIn());

        await _stage.SignInAsync(browser);
        Assert.True(await IsIn());
        var secret = browser.Cookies["__Host-session"];
        await browser.PostFormAsync("/account", "/sign-out");
        Assert.DoesNotContain("__Host-session", browser.Cookies.Keys);
        browser.Cookies["__Host-session"] = secret; // kept by somebody
        Assert.False(await IsIn());

        await _stage.SignInAsync(browser);
        for (var i = 0; i < 7; i++)
        {
            _stage.Clock.Advance(TimeSpan.FromMinutes(110));
            await IsIn();
            await _stage.Gateway.Services.GetRequiredService<CredentialUses>().FlushAsync(default);
        }

        Assert.False(await IsIn()); // 12 hours have passed
    }

    [Fact]
    public async Task SignOut_LeadsToTheProvidersEnd()
    {
        _stage.Issuer.MoreOfDocument["end_session_endpoint"] = _stage.Issuer.Url + "/end";
        var browser = _stage.NewBrowser(await _stage.AddGatewayAsync());
        await _stage.SignInAsync(browser);
        var answer = await browser.PostFormAsync("/account", "/sign-out");
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var location = answer.Headers.Location!.ToString();
        Assert.StartsWith(_stage.Issuer.Url + "/end?", location, StringComparison.Ordinal);
        Assert.Equal(
            $"https://{TestGateway.Host}/sign-out",
            QueryHelpers.ParseQuery(new Uri(location).Query)["post_logout_redirect_uri"]);
    }

    [Fact]
    public async Task SecondSub_WithTheSameName_IsRefusedUntilTheNameIsFree()
    {
        await _stage.SignInAsync(_stage.NewBrowser());
        _stage.More = new JsonObject { ["sub"] = "another person" };
        var browser = _stage.NewBrowser();
        var answer = await _stage.SignInAsync(browser);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains(
            "belongs to another account", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains(
            _stage.Log.Lines,
            static line => line.Contains("gateway identity forget oidc:corp alice", StringComparison.Ordinal));

        await _stage.Gateway.Services.GetRequiredService<IIdentityStore>().RemoveAsync("oidc:corp", "alice", default);
        Assert.Equal(HttpStatusCode.SeeOther, (await _stage.SignInAsync(browser)).StatusCode);
    }

    [Fact]
    public async Task UnconfiguredPages_AreNotThere()
    {
        await using var plain = await TestGateway.StartAsync(_stage.Upstream.Address);
        foreach (var path in new[] { "/sign-in", "/sign-in/corp", "/account", "/device", "/sign-out" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await plain.SendAsync(HttpMethod.Get, path)).StatusCode);
        }

        Assert.Equal(HttpStatusCode.NotFound, (await _stage.NewBrowser().GetAsync("/sign-in/unknown")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _stage.NewBrowser().GetAsync("/sign-in/corp/")).StatusCode);
    }

    private string Resigned(RSA key)
    {
        var header = TestIssuerEncode(new { alg = "RS256", typ = "JWT", kid = _stage.Issuer.KeyId });
        var text = header + "." + TestIssuer.Encode(_stage.Claims().ToJsonString());
        return text + "." + System.Buffers.Text.Base64Url.EncodeToString(
            key.SignData(
                System.Text.Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    private static string TestIssuerEncode(object header) => TestIssuer.Encode(JsonSerializer.Serialize(header));

    private static class OidcHandlerForgery
    {
        public static string None(JsonNode claims) =>
            TestIssuerEncode(new { alg = "none", typ = "JWT" }) + "." + TestIssuer.Encode(claims.ToJsonString()) + ".";
    }
}
