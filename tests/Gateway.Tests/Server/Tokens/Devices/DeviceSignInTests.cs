using System.Net;
using System.Text.Json;
using Gateway.Core.Tokens;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Devices;
using Gateway.Tests.Server.SignIn.Oidc;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Tokens.Devices;

/// <summary>Devices that a signed-in person authorizes in the browser (RFC 8628).</summary>
public sealed class DeviceSignInTests : IAsyncLifetime
{
    private OidcStage _stage = null!;

    public async Task InitializeAsync() => _stage = await OidcStage.StartAsync();

    public async Task DisposeAsync() => await _stage.DisposeAsync();

    [Fact]
    public async Task Device_LetIn_GetsARefreshTokenOnce()
    {
        var device = await BeginAsync();
        Assert.Equal($"https://{TestGateway.Host}/device", device.GetProperty("verification_uri").GetString());
        var (code, userCode) =
            (device.GetProperty("device_code").GetString()!, device.GetProperty("user_code").GetString()!);
        Assert.Equal("authorization_pending", await ErrorAsync(code));
        Assert.Equal("slow_down", await ErrorAsync(code));

        var browser = _stage.NewBrowser();
        await _stage.SignInAsync(browser, "/device?user_code=" + userCode);
        var page = await (await browser.GetAsync("/device?user_code=" + userCode)).Content.ReadAsStringAsync();
        Assert.Contains(userCode, page, StringComparison.Ordinal);
        Assert.Contains("only if you started this yourself", page, StringComparison.Ordinal);
        Assert.Equal(
            HttpStatusCode.OK,
            (await browser.PostFormAsync(
                "/device", "/device",
                ("user_code", userCode.ToLowerInvariant().Replace("-", "", StringComparison.Ordinal)))).StatusCode);

        _stage.Clock.AdvanceMeasured(TimeSpan.FromSeconds(4.2));
        var answer = await PollAsync(code);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        var refresh = body.GetProperty("refresh_token").GetString()!;
        Assert.StartsWith("rgf_", refresh, StringComparison.Ordinal);

        _stage.Clock.AdvanceMeasured(TimeSpan.FromSeconds(4.2));
        Assert.Equal("expired_token", await ErrorAsync(code)); // once

        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://{TestGateway.Host}/token")
        {
            Content = new FormUrlEncodedContent(
            [
                new("grant_type", "refresh_token"), new("refresh_token", refresh), new("service", TestGateway.Host),
                new("client_id", "x"),
                new("scope", "repository:team-a/app:push"),
            ]),
        };
        var token = await _stage.Gateway.Client.SendAsync(request);
        Assert.Contains("team-a/app", await token.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Codes_ForgedOrOfAnotherHostOrOld_AreRefused()
    {
        var device = await BeginAsync();
        var code = device.GetProperty("device_code").GetString()!;
        Assert.Equal("invalid_grant", await ErrorAsync("rgd.AAAA.AAAA"));
        Assert.Equal("invalid_grant", await ErrorAsync(code[..^4] + "AAAA"));
        Assert.Equal("invalid_grant", await ErrorAsync("nothing"));
        _stage.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("expired_token", await ErrorAsync(code));
        Assert.Empty(await _stage.Store.ListAsync(null, default)); // strangers fill no store
    }

    [Theory]
    [InlineData(0, "authorization_pending")]
    [InlineData(5, "invalid_grant")]
    [InlineData(60 * 24 * 365, "invalid_grant")]
    public async Task Code_OfOurKeyWithALongerLifeThanWeGive_IsRefused(int minutesMore, string error)
    {
        var now = _stage.Clock.GetUtcNow();
        var keys = _stage.Gateway.Services.GetRequiredService<ISigningKeys>().Current;
        var code = new DeviceCode(
            UserCode.Create(), TestGateway.Host,
            now + DeviceAuthorization.Lifetime + TimeSpan.FromMinutes(minutesMore));

        Assert.Equal(error, await ErrorAsync(code.Sign(keys, now)));
    }

    [Fact]
    public async Task Form_ThatCannotBeRead_IsTheClientsFault()
    {
        var fields = string.Join('&', Enumerable.Range(0, 1100).Select(static i => $"{(char)('a' + (i % 26))}="));
        foreach (var target in new[] { "/device/token", "/sign-in/corp/logout" })
        {
            var answer = await _stage.NewBrowser().SendAsync(
                HttpMethod.Post, target, new StringContent(fields, null, "application/x-www-form-urlencoded"));
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Approval_NeedsThePersonsOwnForm()
    {
        var device = await BeginAsync();
        var userCode = device.GetProperty("user_code").GetString()!;
        var browser = _stage.NewBrowser();
        var form = new FormUrlEncodedContent([new("user_code", userCode)]);
        // nobody is signed in
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.SendAsync(HttpMethod.Post, "/device", form)).StatusCode);
        await _stage.SignInAsync(browser);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await browser.SendAsync(
                HttpMethod.Post, "/device", new FormUrlEncodedContent([new("user_code", userCode)]))).StatusCode);
        // looking approves nothing
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/device?user_code=" + userCode)).StatusCode);
        Assert.Equal("authorization_pending", await ErrorAsync(device.GetProperty("device_code").GetString()!));
        var mistyped = (userCode[0] == 'B' ? 'C' : 'B') + userCode[1..];
        var page = await browser.PostFormAsync("/device", "/device", ("user_code", mistyped));
        Assert.Contains("mistyped", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(
            await _stage.Store.ListAsync(null, default), static one => one.Kind == CredentialKind.Device);
    }

    [Fact]
    public async Task Approvals_InALoop_AreRefusedBeforeTheyFillTheStore()
    {
        var browser = _stage.NewBrowser();
        await _stage.SignInAsync(browser);
        async Task<HttpStatusCode> Approve() =>
            (await browser.PostFormAsync("/device", "/device", ("user_code", UserCode.Create()))).StatusCode;
        Assert.Equal(HttpStatusCode.OK, await Approve());
        var one = (await _stage.Store.ListAsync(null, default)).First(static one => one.Kind == CredentialKind.Device);
        for (var i = 1; i < ICredentialStore.MostKeptPerOwner; i++)
        {
            await _stage.Store.AddAsync(one with { Id = $"device-{i}", Hash = SecretHash.Of($"device-{i}") }, default);
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Approve());
        await OidcStage.MakeTokenAsync(browser); // which is counted on its own
    }

    [Fact]
    public async Task Approver_EndedMeanwhile_LetsNobodyIn()
    {
        var device = await BeginAsync();
        var browser = _stage.NewBrowser();
        await _stage.SignInAsync(browser);
        Assert.Equal(
            HttpStatusCode.OK,
            (await browser.PostFormAsync(
                "/device", "/device", ("user_code", device.GetProperty("user_code").GetString()!))).StatusCode);
        var owner = (await _stage.Store.ListAsync(null, default)).First(
            static one => one.Kind == CredentialKind.Device).Owner;
        await _stage.Store.RevokeAllAsync(owner, _stage.Clock.GetUtcNow(), default);
        Assert.Equal("expired_token", await ErrorAsync(device.GetProperty("device_code").GetString()!));
    }

    [Fact]
    public async Task Approver_BlockedMeanwhile_LetsNobodyIn()
    {
        var (device, other) = (await BeginAsync(), await BeginAsync());
        var browser = _stage.NewBrowser();
        await _stage.SignInAsync(browser);
        Assert.Equal(
            HttpStatusCode.OK,
            (await browser.PostFormAsync(
                "/device", "/device", ("user_code", device.GetProperty("user_code").GetString()!))).StatusCode);

        await _stage.Gateway.BlockAsync("user:alice");

        var answer = JsonDocument.Parse(
            await (await PollAsync(device.GetProperty("device_code").GetString()!)).Content
                .ReadAsStringAsync()).RootElement;
        Assert.Equal("invalid_grant", answer.GetProperty("error").GetString());
        Assert.Contains(
            "user:alice is blocked", answer.GetProperty("error_description").GetString(), StringComparison.Ordinal);

        // Nor does the session approve another one.
        Assert.Equal(
            HttpStatusCode.SeeOther,
            (await browser.PostFormAsync(
                "/device", "/device", ("user_code", other.GetProperty("user_code").GetString()!))).StatusCode);
        Assert.Equal("authorization_pending", await ErrorAsync(other.GetProperty("device_code").GetString()!));
    }

    [Fact]
    public async Task Approver_WhoseNameIsAnothersMeanwhile_LetsNobodyIn()
    {
        var device = await BeginAsync();
        var browser = _stage.NewBrowser();
        await _stage.SignInAsync(browser);
        Assert.Equal(
            HttpStatusCode.OK,
            (await browser.PostFormAsync(
                "/device", "/device", ("user_code", device.GetProperty("user_code").GetString()!))).StatusCode);

        var identities = _stage.Gateway.Services.GetRequiredService<IIdentityStore>();
        await identities.RemoveAsync("oidc:corp", "alice", default);
        _stage.More = new System.Text.Json.Nodes.JsonObject { ["sub"] = "sub-of-another-alice" };
        Assert.Equal(HttpStatusCode.SeeOther, (await _stage.SignInAsync(_stage.NewBrowser())).StatusCode);
        _stage.Forget();
        Assert.Equal("invalid_grant", await ErrorAsync(device.GetProperty("device_code").GetString()!));
    }

    [Fact]
    public void UserCode_TellsMistypedOnes()
    {
        for (var i = 0; i < 200; i++)
        {
            var code = UserCode.Create();
            Assert.True(UserCode.TryParse(code, out var again));
            Assert.Equal(code, again);
            var at = code.IndexOfAny([.. "BCDFGHJKLMNPQRSTVWXZ"], i % 4);
            var wrong = code[..at] + (code[at] == 'B' ? 'C' : 'B') + code[(at + 1)..];
            Assert.False(UserCode.TryParse(wrong, out _));
        }

        Assert.False(UserCode.TryParse("", out _));
        Assert.False(UserCode.TryParse(new string('B', 500), out _));
    }

    private async Task<JsonElement> BeginAsync()
    {
        var answer = await _stage.NewBrowser().SendAsync(
            HttpMethod.Post, "/device/code", new FormUrlEncodedContent([new("client_id", "registry-gateway")]));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
    }

    private Task<HttpResponseMessage> PollAsync(string code) => _stage.NewBrowser().SendAsync(
        HttpMethod.Post,
        "/device/token",
        new FormUrlEncodedContent(
        [
            new("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), new("device_code", code),
            new("client_id", "registry-gateway"),
        ]));

    private async Task<string?> ErrorAsync(string code)
    {
        var answer = await PollAsync(code);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement
            .GetProperty("error")
            .GetString();
    }
}
