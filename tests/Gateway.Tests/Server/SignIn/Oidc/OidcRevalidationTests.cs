using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Tests.Server.SignIn.Issuers;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.SignIn.Oidc;

/// <summary>
/// A person's tokens end with his account at the provider, and not because the provider is away for a while.
/// </summary>
public sealed class OidcRevalidationTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(15);

    [Fact]
    public async Task PersonDisabled_TokensStopWithinTheInterval_AndWorkAgainAfterASignIn()
    {
        await using var stage = await OidcStage.StartAsync();
        var browser = stage.NewBrowser();
        await stage.SignInAsync(browser);
        var token = await OidcStage.MakeTokenAsync(browser);
        Assert.Equal(HttpStatusCode.OK, (await stage.LogInAsync("alice", token)).StatusCode);

        stage.OnToken = static form => form["grant_type"] == "refresh_token"
            ? (400, """{"error":"invalid_grant","error_description":"user is disabled"}""")
            : null;
        stage.Clock.Advance(Interval - TimeSpan.FromMinutes(1));
        stage.Forget(); // the shared view of a state is that old at most
        Assert.Equal(HttpStatusCode.OK, (await stage.LogInAsync("alice", token)).StatusCode);

        stage.Clock.Advance(TimeSpan.FromMinutes(1));
        stage.Forget();
        await Eventually.TrueAsync(
            async () => (await stage.LogInAsync("alice", token)).StatusCode == HttpStatusCode.Unauthorized,
            TimeSpan.FromSeconds(10));
        var refused = await stage.LogInAsync("alice", token);
        Assert.Contains(
            "sign in again in the browser", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).StatusCode); // the session too
        Assert.Contains(
            stage.Log.Lines, static line => line.Contains("oidc:corp no longer confirms", StringComparison.Ordinal));

        stage.OnToken = null;
        await stage.SignInAsync(browser);
        Assert.Equal(HttpStatusCode.OK, (await stage.LogInAsync("alice", token)).StatusCode);
    }

    [Fact]
    public async Task GroupsChanged_AreSeenAfterTheInterval()
    {
        await using var stage = await OidcStage.StartAsync();
        var browser = stage.NewBrowser();
        await stage.SignInAsync(browser);
        var token = await OidcStage.MakeTokenAsync(browser);
        async Task<string> Scope() => await (await stage.LogInAsync("alice", token)).Content.ReadAsStringAsync();
        Assert.Contains("dev/app", await Scope(), StringComparison.Ordinal);

        stage.More = new JsonObject { ["groups"] = new JsonArray(), ["nonce"] = null };
        stage.Clock.Advance(Interval);
        stage.Forget();
        await Eventually.TrueAsync(
            async () => !(await Scope()).Contains("dev/app", StringComparison.Ordinal), TimeSpan.FromSeconds(10));
        Assert.Contains("team-a/app", await Scope(), StringComparison.Ordinal);
        Assert.Equal("refresh_token", stage.Asked[^1]["grant_type"]);
        Assert.Equal("provider-refresh-token-1", stage.Asked[^1]["refresh_token"]);

        // The provider rotates: the next question shows the next token.
        stage.Clock.Advance(Interval);
        stage.Forget();
        await Eventually.TrueAsync(
            async () =>
            {
                await Scope();
                return stage.Asked[^1]["refresh_token"] == "provider-refresh-token-2";
            },
            TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData("""{"sub":"another person"}""")]
    [InlineData("""{"preferred_username":"renamed"}""")]
    public async Task RefreshTellsOfSomebodyElse_TokensStop(string more)
    {
        await using var stage = await OidcStage.StartAsync();
        var browser = stage.NewBrowser();
        await stage.SignInAsync(browser);
        var token = await OidcStage.MakeTokenAsync(browser);
        stage.More = JsonNode.Parse(more)!.AsObject();
        stage.Clock.Advance(Interval);
        stage.Forget();
        await Eventually.TrueAsync(
            async () => (await stage.LogInAsync("alice", token)).StatusCode == HttpStatusCode.Unauthorized,
            TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData(400, """{"error":"invalid_request"}""", "{}")]
    [InlineData(400, """{"error":"temporarily_unavailable"}""", "{}")]
    [InlineData(429, """{"error":"slow_down"}""", "{}")]
    [InlineData(401, """{"error":"invalid_client"}""", "{}")]
    [InlineData(0, "", """{"aud":"somebody else"}""")]
    [InlineData(0, "", """{"exp":1700000000}""")]
    public async Task FaultThatIsNotAboutThePerson_EndsNobody(int status, string body, string more)
    {
        await using var stage = await OidcStage.StartAsync();
        var browser = stage.NewBrowser();
        await stage.SignInAsync(browser);
        var token = await OidcStage.MakeTokenAsync(browser);
        stage.OnToken = status == 0 ? null : _ => (status, body);
        stage.More = JsonNode.Parse(more)!.AsObject();
        var before = stage.Asked.Count;
        stage.Clock.Advance(Interval);
        stage.Forget();
        Assert.Equal(HttpStatusCode.OK, (await stage.LogInAsync("alice", token)).StatusCode);
        Assert.Equal(1, stage.Asked.Count - before);
        var identity = await stage.Gateway.Services.GetRequiredService<IIdentityStore>().FindAsync(
            "oidc:corp", "alice", default);
        Assert.Null(identity!.Ended);
        Assert.NotNull(identity.RefreshToken);
    }

    [Fact]
    public async Task NameOfAnotherAccountNow_WhatWasIssuedToTheFormerStaysDead()
    {
        await using var stage = await OidcStage.StartAsync();
        var (browser, other) = (stage.NewBrowser(), stage.NewBrowser());
        await stage.SignInAsync(browser);
        var token = await OidcStage.MakeTokenAsync(browser);

        // Freed with nothing revoked: as where the revocation ran before the former made his token.
        var identities = stage.Gateway.Services.GetRequiredService<IIdentityStore>();
        var former = (await identities.FindAsync("oidc:corp", "alice", default))!;
        Assert.True(await identities.RemoveAsync("oidc:corp", "alice", default));
        stage.More = new JsonObject { ["sub"] = "sub-of-another-alice" };
        Assert.Equal(HttpStatusCode.SeeOther, (await stage.SignInAsync(other)).StatusCode);
        stage.Forget();

        Assert.Equal(HttpStatusCode.Unauthorized, (await stage.LogInAsync("alice", token)).StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.GetAsync("/account")).StatusCode); // to the sign-in
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/account")).StatusCode);
        Assert.Equal(
            HttpStatusCode.OK, (await stage.LogInAsync("alice", await OidcStage.MakeTokenAsync(other))).StatusCode);

        // Nor can a replica that still holds the former write him over the other.
        Assert.Null(await identities.WriteAsync(former, default));
    }

    [Fact]
    public async Task ProviderUnavailable_TokensGoOn_UntilNobodyCanVouchForThem()
    {
        await using var stage = await OidcStage.StartAsync();
        var browser = stage.NewBrowser();
        await stage.SignInAsync(browser);
        var token = await OidcStage.MakeTokenAsync(browser);
        stage.OnToken = static _ => (503, "down");
        var before = stage.Asked.Count;
        stage.Clock.Advance(TimeSpan.FromHours(11));
        stage.Forget();
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await stage.LogInAsync("alice", token)).StatusCode);
        }

        Assert.Equal(1, stage.Asked.Count - before); // asked once, then left alone for a while

        stage.Clock.Advance(TimeSpan.FromHours(1));
        stage.Forget();
        await Eventually.TrueAsync(
            async () => (await stage.LogInAsync("alice", token)).StatusCode == HttpStatusCode.ServiceUnavailable,
            TimeSpan.FromSeconds(10));

        stage.OnToken = null; // it is back
        stage.Clock.Advance(TimeSpan.FromMinutes(1));
        stage.Forget();
        await Eventually.TrueAsync(
            async () => (await stage.LogInAsync("alice", token)).StatusCode == HttpStatusCode.OK,
            TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task NoRefreshToken_TokensGoOnForTheTrustedTimeAfterASignIn()
    {
        await using var stage = await OidcStage.StartAsync(oidc: static provider => provider.Scopes = ["openid"]);
        stage.MoreOfAnswer = new JsonObject { ["refresh_token"] = null };
        var browser = stage.NewBrowser();
        await stage.SignInAsync(browser);
        var token = await OidcStage.MakeTokenAsync(browser);
        stage.Clock.Advance(TimeSpan.FromHours(11));
        stage.Forget();
        Assert.Equal(HttpStatusCode.OK, (await stage.LogInAsync("alice", token)).StatusCode);
        stage.Clock.Advance(TimeSpan.FromHours(1));
        stage.Forget();
        await Eventually.TrueAsync(
            async () => (await stage.LogInAsync("alice", token)).StatusCode == HttpStatusCode.Unauthorized,
            TimeSpan.FromSeconds(10));
        await stage.SignInAsync(browser);
        Assert.Equal(HttpStatusCode.OK, (await stage.LogInAsync("alice", token)).StatusCode);
    }

    [Fact]
    public async Task TwoReplicas_ShareSessionsAndAskOnce()
    {
        await using var redis = await RedisServer.StartAsync();
        void Share(GatewayOptions options)
        {
            options.Redis = redis.Options;
            options.State.Store = StateStoreKind.Redis;
            options.Tokens.Keys = new SigningKeyOptions
            {
                Store = SigningKeyStoreKind.Redis,
                Password = "key-password",
            };
        }

        await using var stage = await OidcStage.StartAsync(Share);
        var second = await stage.AddGatewayAsync(Share);

        // Begun here, ended there: state and correlation are understood by both.
        var browser = stage.NewBrowser();
        var callback = await stage.BeginAsync(browser);
        var there = stage.NewBrowser(second);
        foreach (var (name, value) in browser.Cookies)
        {
            there.Cookies[name] = value;
        }

        Assert.Equal(HttpStatusCode.SeeOther, (await there.GetAsync(callback)).StatusCode);
        browser.Cookies["__Host-session"] = there.Cookies["__Host-session"];
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/account")).StatusCode);
        var token = await OidcStage.MakeTokenAsync(browser);

        var before = stage.Asked.Count;
        stage.Clock.Advance(Interval);
        stage.Forget();
        var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
            (await stage.LogInAsync("alice", token, i % 2 == 0 ? null : second)).StatusCode));
        Assert.All(statuses, static status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.Equal(1, stage.Asked.Count - before);

        // What lies in Redis gives neither the provider's token nor the keys away.
        var all = await redis.CommandAsync(
            "EVAL",
            "local all = '' for _, key in ipairs(redis.call('KEYS', '*')) do if redis.call('TYPE', key).ok == 'hash' "
            + "then all = all .. key .. table.concat(redis.call('HVALS', key), ' ') end end return all",
            "0");
        Assert.Contains("sub-of-alice", all, StringComparison.Ordinal);
        Assert.Contains("PasswordXmlDecryptor", all, StringComparison.Ordinal);
        Assert.DoesNotContain("provider-refresh-token", all, StringComparison.Ordinal);
        Assert.DoesNotContain("masterKey", all, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task BackChannelLogout_EndsSessionsAndLeavesTokens()
    {
        await using var stage = await OidcStage.StartAsync();
        stage.More = new JsonObject { ["sid"] = "session-1" };
        var (first, other) = (stage.NewBrowser(), stage.NewBrowser());
        await stage.SignInAsync(first);
        var token = await OidcStage.MakeTokenAsync(first);
        stage.More = new JsonObject { ["sid"] = "session-2" };
        await stage.SignInAsync(other);

        JsonObject Logout(string more = "{}")
        {
            var claims = stage.Issuer.Claims(OidcStage.ClientId, "sub-of-alice", stage.Clock.GetUtcNow(), more);
            if (!more.Contains("events", StringComparison.Ordinal))
            {
                claims["events"] = JsonNode.Parse("""{"http://schemas.openid.net/event/backchannel-logout":{}}""");
            }

            return claims;
        }

        Task<HttpResponseMessage> Post(string text) => stage.NewBrowser().SendAsync(
            HttpMethod.Post, "/sign-in/corp/logout", new FormUrlEncodedContent([new("logout_token", text)]));
        async Task<bool> IsIn(TestBrowser browser) =>
            (await browser.GetAsync("/account")).StatusCode == HttpStatusCode.OK;
        var typed = new { alg = "RS256", typ = "logout+jwt", kid = stage.Issuer.KeyId };

        // What is none: an ID token, another's audience, without the event, too old, signed by nobody.
        Assert.Equal(HttpStatusCode.BadRequest, (await Post(stage.Issuer.Sign(stage.Claims()))).StatusCode);
        Assert.Equal(
            HttpStatusCode.BadRequest, (await Post(stage.Issuer.Sign(Logout("""{"nonce":"n"}"""), typed))).StatusCode);
        Assert.Equal(
            HttpStatusCode.BadRequest, (await Post(stage.Issuer.Sign(Logout("""{"aud":"x"}"""), typed))).StatusCode);
        Assert.Equal(
            HttpStatusCode.BadRequest, (await Post(stage.Issuer.Sign(Logout("""{"events":{}}"""), typed))).StatusCode);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await Post(stage.Issuer.Sign(Logout("""{"exp":1700000000}"""), typed))).StatusCode);
        Assert.Equal(
            HttpStatusCode.BadRequest, (await Post(stage.Issuer.Sign(Logout(), typed)[..^8] + "AAAAAAAA")).StatusCode);
        Assert.True(await IsIn(first) && await IsIn(other));

        Assert.Equal(
            HttpStatusCode.OK, (await Post(stage.Issuer.Sign(Logout("""{"sid":"session-1"}"""), typed))).StatusCode);
        Assert.False(await IsIn(first));
        Assert.True(await IsIn(other));
        var bySid = Logout("""{"sid":"session-2"}""");
        bySid.Remove("sub");
        Assert.Equal(HttpStatusCode.OK, (await Post(stage.Issuer.Sign(bySid, typed))).StatusCode);
        Assert.False(await IsIn(other));

        await stage.SignInAsync(first);
        // untyped, the whole person
        Assert.Equal(HttpStatusCode.OK, (await Post(stage.Issuer.Sign(Logout()))).StatusCode);
        Assert.False(await IsIn(first));
        Assert.Equal(HttpStatusCode.OK, (await stage.LogInAsync("alice", token)).StatusCode);
    }

    [Fact]
    public async Task NotStartedAtStart_StopsNothing_AndIsPickedUp()
    {
        await using var stage = await OidcStage.StartAsync(isIssuerUp: false);
        Assert.Equal(HttpStatusCode.OK, (await stage.Gateway.SendAsync(HttpMethod.Get, "/sign-in")).StatusCode);
        var browser = stage.NewBrowser();
        var away = await browser.GetAsync("/sign-in/corp");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
        Assert.Contains("answered 500", await away.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains(
            stage.Log.Lines,
            static line => line.Contains("oidc:corp", StringComparison.Ordinal)
                && line.Contains("answered 500", StringComparison.Ordinal));

        // of /readyz
        var health = stage.Gateway.Services.GetServices<IHealthPart>().Single(static part => part.Name == "oidc:corp");
        Assert.False(health.IsUp);
        stage.Issuer.OnDocument = null;
        await Eventually.TrueAsync(
            async () => (await browser.GetAsync("/sign-in/corp")).StatusCode == HttpStatusCode.Redirect,
            TimeSpan.FromSeconds(30));
        Assert.True(health.IsUp);
    }

    [Fact]
    public async Task ProvidersCertificateNotTrusted_PersonAndOperatorAreToldTheCause()
    {
        using var folder = new TemporaryFolder();
        var pair = TestCertificates.Write(folder.Path, "localhost");
        await using var issuer = await TestIssuer.StartAsync(
            certificate: X509Certificate2.CreateFromPemFile(pair.Certificate, pair.Key));
        await using var stage = await OidcStage.StartAsync(oidc: provider => provider.Issuer = issuer.Url);
        var page = await stage.NewBrowser().GetAsync("/sign-in/corp");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, page.StatusCode);
        Assert.Contains("certificate of localhost", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains(stage.Log.Lines, static line =>
            line.Contains("is not trusted", StringComparison.Ordinal)
                && line.Contains("certificateAuthority", StringComparison.Ordinal));

        // The neighbour: its authority is named.
        var trusting = await stage.AddGatewayAsync(
            oidc: provider => (provider.Issuer, provider.CertificateAuthority) = (issuer.Url, pair.Certificate));
        await Eventually.TrueAsync(
            async () =>
                (await stage.NewBrowser(trusting).GetAsync("/sign-in/corp")).StatusCode == HttpStatusCode.Redirect,
                TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task NameOfAnEarlierSource_IsRefused()
    {
        await using var stage = await OidcStage.StartAsync();
        var gateway = await stage.AddGatewayAsync(options => options.Authentication.Htpasswd =
            new HtpasswdOptions
            {
                File = Path.Combine(Path.GetDirectoryName(options.Policies)!, "users.htpasswd"),
                MinimumCost = 4,
            });
        var browser = stage.NewBrowser(gateway);
        var answer = await stage.SignInAsync(browser);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("another source", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        stage.More = new JsonObject { ["sub"] = "sub-of-carol", ["preferred_username"] = "carol" };
        Assert.Equal(HttpStatusCode.SeeOther, (await stage.SignInAsync(browser)).StatusCode);
        Assert.NotNull(
            await gateway.Services.GetRequiredService<IIdentityStore>().FindAsync("oidc:corp", "carol", default));
    }

    [Fact]
    public async Task NameOfOneWhoLapsed_IsNoOtherSources()
    {
        // The configuration refuses this order for plain names; the rule holds where that ever changes.
        await using var stage = await OidcStage.StartAsync();
        var gateway = await stage.AddGatewayAsync(options =>
        {
            options.Authentication.Htpasswd = new HtpasswdOptions
            {
                File = Path.Combine(Path.GetDirectoryName(options.Policies)!, "users.htpasswd"),
                MinimumCost = 4,
            };
            options.Authentication.Order = ["oidc:corp", "htpasswd"];
        });
        await stage.SignInAsync(stage.NewBrowser(gateway));
        stage.OnToken = static _ => (400, """{"error":"invalid_grant"}""");
        stage.Clock.Advance(Interval);
        stage.Forget();
        Assert.Equal(
            HttpStatusCode.Unauthorized, (await stage.LogInAsync("alice", "alice-password", gateway)).StatusCode);
        Assert.NotNull(
            (await gateway.Services.GetRequiredService<IIdentityStore>().FindAsync(
                "oidc:corp", "alice", default))!.Ended);
        // Gone, and the name is not free.
        Assert.Equal(
            HttpStatusCode.Unauthorized, (await stage.LogInAsync("alice", "alice-password", gateway)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await stage.LogInAsync("bob", "bob-password", gateway)).StatusCode);
    }
}
