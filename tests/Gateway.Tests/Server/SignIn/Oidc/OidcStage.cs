using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Server.Host.Configuration;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.Store.State;
using Gateway.Tests.Server.SignIn.Issuers;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.SignIn.Oidc;

/// <summary>A whole gateway with one provider, <c>corp</c>, whose every answer a test may spoil.</summary>
internal sealed partial class OidcStage : IAsyncDisposable
{
    public const string ClientId = "gateway";

    private readonly List<TestGateway> _gateways = [];

    /// <summary>Claims that the next ID token has beside the usual ones; a null takes one out.</summary>
    public JsonObject More { get; set; } = [];

    /// <summary>Members of the token endpoint's answer beside the usual ones.</summary>
    public JsonObject MoreOfAnswer { get; set; } = [];

    /// <summary>What the token endpoint answers instead, by grant.</summary>
    public Func<IFormCollection, (int Status, string Body)?>? OnToken { get; set; }

    public TestIssuer Issuer { get; private set; } = null!;

    public TestGateway Gateway => _gateways[0];

    public RecordingUpstream Upstream { get; private set; } = null!;

    public ShiftedClock Clock { get; } = new();

    public LogSink Log { get; } = new();

    /// <summary>What the token endpoint was sent.</summary>
    public List<IFormCollection> Asked { get; } = [];

    /// <summary>Of the sign-in begun last.</summary>
    public string? Nonce { get; set; }

    /// <summary>Its PKCE challenge.</summary>
    public string? Challenge { get; set; }

    public static async Task<OidcStage> StartAsync(
        Action<GatewayOptions>? change = null, Action<OidcOptions>? oidc = null, bool isIssuerUp = true)
    {
        var stage = new OidcStage
        {
            Upstream = await RecordingUpstream.StartAsync(),
            Issuer = await TestIssuer.StartAsync(),
        };
        stage.Issuer.Endpoints["/token"] = stage.AnswerAsync;
        if (!isIssuerUp)
        {
            stage.Issuer.OnDocument = static context =>
            {
                context.Response.StatusCode = 500;
                return Task.CompletedTask;
            };
        }

        await stage.AddGatewayAsync(change, oidc);
        return stage;
    }

    public async Task<TestGateway> AddGatewayAsync(
        Action<GatewayOptions>? change = null, Action<OidcOptions>? oidc = null)
    {
        var gateway = await TestGateway.StartAsync(
            Upstream.Address,
            """
            rules:
              - { name: alice writes, to: ["user:alice"], role: writer, on: ["team-a/**"] }
              - { name: devs read, to: ["group:devs"], role: reader, on: ["dev/**"] }
            """,
            options =>
            {
                options.Authentication.Htpasswd = null;
                options.Tokens.RefreshTokens = true;
                options.Log.Level = LogLevel.Information;
                var provider = new OidcOptions
                {
                    Issuer = Issuer.Url,
                    ClientId = ClientId,
                    ClientSecret = "client secret",
                };
                oidc?.Invoke(provider);
                options.Authentication.Oidc["corp"] = provider;
                change?.Invoke(options);
            },
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(Clock);
                builder.Logging.ClearProviders().AddProvider(Log);
            });
        _gateways.Add(gateway);
        return gateway;
    }

    public TestBrowser NewBrowser(TestGateway? gateway = null) => new((gateway ?? Gateway).Client);

    /// <summary>Walks the whole way, and gives the last answer.</summary>
    public async Task<HttpResponseMessage> SignInAsync(TestBrowser browser, string? returnTo = null, string more = "")
    {
        var callback = await BeginAsync(browser, returnTo);
        return await browser.GetAsync(callback + more);
    }

    /// <summary>Begins, and gives the address that the provider would send the browser back to.</summary>
    public async Task<string> BeginAsync(TestBrowser browser, string? returnTo = null, string origin = "")
    {
        var begun = await browser.GetAsync(
            origin + "/sign-in/corp" + (returnTo is null ? "" : "?return=" + Uri.EscapeDataString(returnTo)));
        Assert.Equal(HttpStatusCode.Redirect, begun.StatusCode);
        var asked = QueryHelpers.ParseQuery(begun.Headers.Location!.Query);
        Nonce = asked["nonce"];
        Challenge = asked.GetValueOrDefault("code_challenge");
        return origin + "/sign-in/corp/callback?code=abc&state=" + Uri.EscapeDataString(asked["state"].ToString());
    }

    /// <summary>Makes a token on the page, as a person does.</summary>
    public static async Task<string> MakeTokenAsync(TestBrowser browser)
    {
        var made = await browser.PostFormAsync("/account", "/account/tokens", ("name", "laptop"), ("days", "30"));
        var page = await made.Content.ReadAsStringAsync();
        return Secret().Match(page) is { Success: true } match
            ? match.Value
            : throw new InvalidOperationException(page);
    }

    /// <summary>
    /// Has so much time pass that no gateway remembers what it knew of a person: five seconds, not of the time of day.
    /// </summary>
    public void Forget() => Clock.AdvanceMeasured(TimeSpan.FromSeconds(5.5));

    /// <summary>The status of a token request with a password.</summary>
    public async Task<HttpResponseMessage> LogInAsync(string user, string password, TestGateway? gateway = null)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            $"https://{TestGateway.Host}/token?service="
                + $"{TestGateway.Host}&scope=repository:team-a/app:pull,push&scope=repository:dev/app:pull");
        request.Headers.Add(
            "Authorization",
            "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{user}:{password}")));
        return await (gateway ?? Gateway).Client.SendAsync(request);
    }

    public ICredentialStore Store => Gateway.Services.GetRequiredService<ICredentialStore>();

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _gateways)
        {
            await gateway.DisposeAsync();
        }

        await Issuer.DisposeAsync();
        await Upstream.DisposeAsync();
    }

    /// <summary>An ID token as the next answer has it.</summary>
    public JsonObject Claims()
    {
        var claims = Issuer.Claims(
            ClientId, "sub-of-alice", Clock.GetUtcNow(), """{"preferred_username":"alice","groups":["devs"]}""");
        claims["nonce"] = Nonce;
        foreach (var (name, value) in More)
        {
            if (value is null)
            {
                claims.Remove(name);
            }
            else
            {
                claims[name] = value.DeepClone();
            }
        }

        return claims;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        Asked.Add(form);
        if (OnToken?.Invoke(form) is var (status, body))
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync(body);
            return;
        }

        var answer = new JsonObject
        {
            ["access_token"] = "provider-access-token",
            ["token_type"] = "Bearer",
            ["refresh_token"] = "provider-refresh-token-" + Asked.Count,
            ["id_token"] = Issuer.Sign(Claims()),
        };
        foreach (var (name, value) in MoreOfAnswer)
        {
            if (value is null)
            {
                answer.Remove(name);
            }
            else
            {
                answer[name] = value.DeepClone();
            }
        }

        await context.Response.WriteAsync(answer.ToJsonString());
    }

    [GeneratedRegex("rgp_[0-9A-Za-z]{38}")]
    private static partial Regex Secret();
}

/// <summary>Keeps cookies as a browser does, follows nothing by itself, and fills in forms.</summary>
internal sealed partial class TestBrowser(HttpClient client)
{
    public OrderedDictionary<string, string> Cookies { get; } = [];

    /// <summary>The whole <c>Set-Cookie</c> lines, the latest of each name.</summary>
    public Dictionary<string, string> Lines { get; } = [];

    public Task<HttpResponseMessage> GetAsync(string target) => SendAsync(HttpMethod.Get, target, null);

    /// <summary>Opens a page and sends its form, with the token that stands there.</summary>
    public async Task<HttpResponseMessage> PostFormAsync(
        string page, string target, params (string Name, string Value)[] fields)
    {
        var text = await (await GetAsync(page)).Content.ReadAsStringAsync();
        var token = Token().Match(text);
        var form = fields.Select(static field => KeyValuePair.Create(field.Name, field.Value)).ToList();
        if (token.Success)
        {
            form.Add(new("__RequestVerificationToken", WebUtility.HtmlDecode(token.Groups[1].Value)));
        }

        return await SendAsync(HttpMethod.Post, target, new FormUrlEncodedContent(form));
    }

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string target, HttpContent? content, string? origin = null)
    {
        using var request = new HttpRequestMessage(
            method, target.StartsWith('/') ? $"https://{TestGateway.Host}{target}" : target)
        { Content = content };
        if (Cookies.Count > 0)
        {
            request.Headers.Add("Cookie", string.Join("; ", Cookies.Select(static one => $"{one.Key}={one.Value}")));
        }

        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        var answer = await client.SendAsync(request);
        foreach (var line in answer.Headers.TryGetValues("Set-Cookie", out var lines) ? lines : [])
        {
            var name = line[..line.IndexOf('=', StringComparison.Ordinal)];
            var value = line[(name.Length + 1)..].Split(';')[0];
            Lines[name] = line;
            if (value.Length == 0)
            {
                Cookies.Remove(name);
            }
            else
            {
                Cookies[name] = value;
            }
        }

        return answer;
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
