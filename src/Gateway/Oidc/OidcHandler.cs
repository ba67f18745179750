using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Issuers;
using Gateway.Pipeline;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OAuth;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;

namespace Gateway.Oidc;

/// <summary>
/// The code flow of OpenID Connect with PKCE (S256), state, nonce and the check of <c>iss</c> (RFC 9207), on the framework's
/// OAuth handler. It has the state and the correlation cookie; what is said here is whom the answer means.
/// </summary>
internal sealed class OidcHandler(IOptionsMonitor<OidcHandlerOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : OAuthHandler<OidcHandlerOptions>(options, logger, encoder)
{
    private const string NonceItem = ".nonce";

    private IssuerDocument? _document;

    private string RedirectUri => GatewayContext.Of(Context).Host.Origin + Options.CallbackPath;

    /// <inheritdoc/>
    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        _document = await Options.Provider.Metadata.GetAsync(Context.RequestAborted);
        await base.HandleChallengeAsync(properties);
    }

    /// <inheritdoc/>
    protected override string BuildChallengeUrl(AuthenticationProperties properties, string redirectUri)
    {
        var nonce = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
        properties.Items[NonceItem] = nonce; // in the state, which is encrypted: the browser brings it back unread
        var built = new Uri(base.BuildChallengeUrl(properties, RedirectUri));
        var endpoint = OidcTokenClient.Endpoint(_document!.Configuration.AuthorizationEndpoint)
            ?? throw new IssuerException(
                $"{Options.Provider.Metadata.Issuer} names no safe authorization_endpoint", "See whether it is an OpenID provider.");
        var url = endpoint.ToString();
        foreach (var (name, value) in QueryHelpers.ParseQuery(built.Query))
        {
            url = QueryHelpers.AddQueryString(url, name, value.ToString());
        }

        url = QueryHelpers.AddQueryString(url, "nonce", nonce);
        foreach (var (name, value) in Options.Provider.Options.Parameters.Where(static parameter => parameter.Value.Length > 0))
        {
            url = QueryHelpers.AddQueryString(url, name, value);
        }

        // OpenID Connect Core, section 11: without it the provider must not give a refresh token.
        return Options.Scope.Contains("offline_access") && !Options.Provider.Options.Parameters.ContainsKey("prompt")
            ? QueryHelpers.AddQueryString(url, "prompt", "consent")
            : url;
    }

    /// <inheritdoc/>
    protected override async Task<HandleRequestResult> HandleRemoteAuthenticateAsync()
    {
        // RFC 9207, section 2.4: the answer of another provider, mixed into a sign-in by this one.
        var metadata = Options.Provider.Metadata;
        _document = await metadata.GetAsync(Context.RequestAborted);
        var issuers = Request.Query["iss"];
        var isPromised = _document.Configuration.AuthorizationResponseIssParameterSupported;
        if (issuers.Count > 1 || (issuers.Count == 1 ? issuers[0] != metadata.Issuer : isPromised))
        {
            throw new OidcException(
                "the answer came from another provider than this sign-in was begun with; begin it again",
                $"iss in the answer is \"{Authentication.PrintableName.Of(issuers.ToString())}\", where \"{metadata.Issuer}\" is expected");
        }

        return await base.HandleRemoteAuthenticateAsync();
    }

    /// <inheritdoc/>
    protected override async Task<OAuthTokenResponse> ExchangeCodeAsync(OAuthCodeExchangeContext context)
    {
        if (context.Properties.Items.TryGetValue(OAuthConstants.CodeVerifierKey, out var verifier))
        {
            context.Properties.Items.Remove(OAuthConstants.CodeVerifierKey);
        }

        var tokens = await Options.Provider.Client.RedeemAsync(context.Code, RedirectUri, verifier, Context.RequestAborted);
        Context.Features.Set(tokens);
        using var document = JsonSerializer.SerializeToDocument(new Dictionary<string, string> { ["access_token"] = tokens.AccessToken });
        return OAuthTokenResponse.Success(JsonDocument.Parse(document.RootElement.GetRawText()));
    }

    /// <inheritdoc/>
    protected override async Task<AuthenticationTicket> CreateTicketAsync(
        ClaimsIdentity identity, AuthenticationProperties properties, OAuthTokenResponse tokens)
    {
        var nonce = properties.Items[NonceItem] ?? throw new OidcException("this sign-in cannot be told; begin it again", "the state holds no nonce");
        var mine = Context.Features.GetRequiredFeature<OidcTokens>();
        var (person, sessionId) = (await Options.Provider.IdentifyAsync(mine, nonce, subject: null, Context.RequestAborted))!.Value;
        Context.Features.Set(new OidcAnswer(person, sessionId, mine.RefreshToken));
        return new AuthenticationTicket(new ClaimsPrincipal(identity), properties, Scheme.Name);
    }
}
