using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.Tokens.Service;

/// <summary>
/// Reads token requests: GET with a query (Distribution, "Token Authentication Specification"), POST with a form
/// (Distribution, "OAuth2 Token Authentication"; RFC 6749).
/// </summary>
/// <remarks>
/// Unknown parameters are ignored (RFC 6749, section 3.2), <c>account</c> and <c>client_id</c> among them: only
/// the credentials say who asks. Parameters that decide something must appear exactly once.
/// </remarks>
internal static class TokenRequestParser
{
    /// <summary>The type of what an exchange gives (RFC 8693, section 3).</summary>
    public const string AccessTokenType = "urn:ietf:params:oauth:token-type:access_token";

    private const string TokenExchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
    private const string IdTokenType = "urn:ietf:params:oauth:token-type:id_token";
    private const string JwtType = "urn:ietf:params:oauth:token-type:jwt";

    // Each would be another way to say who asks, or for whom.
    private static readonly string[] NotWithAnExchange =
        ["username", "password", "refresh_token", "actor_token", "actor_token_type", "resource"];

    /// <summary>Reads a query.</summary>
    /// <param name="query">With or without its question mark; untrusted.</param>
    /// <param name="credentials">From the <c>Authorization</c> header.</param>
    /// <param name="service">The host that was asked, which is also the only service.</param>
    /// <returns>The request, or why it is refused.</returns>
    public static (TokenRequest? Request, RegistryError? Error) ReadQuery(
        string? query, PresentedCredentials credentials, string service)
    {
        var text = query.AsSpan().TrimStart('?');
        return UrlEncodedParameters.Read(System.Text.Encoding.UTF8.GetBytes(text.ToArray())) is not { } parameters
            ? (null, TooMany)
            : Complete(parameters, credentials, service);
    }

    /// <summary>Reads a form.</summary>
    /// <param name="body">The whole body; untrusted.</param>
    /// <param name="service">The host that was asked, which is also the only service.</param>
    /// <returns>The request, or why it is refused.</returns>
    public static (TokenRequest? Request, RegistryError? Error) ReadForm(ReadOnlySpan<byte> body, string service)
    {
        if (UrlEncodedParameters.Read(body) is not { } parameters)
        {
            return (null, TooMany);
        }

        if (!parameters.TryGetSingle("grant_type", out var grantType))
        {
            return (null, NotOnce("grant_type"));
        }

        if (grantType == TokenExchangeGrant)
        {
            return ReadExchange(parameters, service);
        }

        if (grantType is not ("password" or "refresh_token"))
        {
            return (null, RegistryError.BadRequest(
                $"grant_type must be \"password\", \"refresh_token\" or \"{TokenExchangeGrant}\"") with
            {
                OAuthCode = grantType is null ? "invalid_request" : "unsupported_grant_type",
            });
        }

        return ReadPassword(parameters, isRefresh: grantType == "refresh_token", service);
    }

    private static (TokenRequest? Request, RegistryError? Error) ReadPassword(
        UrlEncodedParameters parameters, bool isRefresh, string service)
    {
        // All of them, whatever the grant: two credentials in one request are a guess which counts.
        if (!parameters.TryGetSingle("username", out var userName))
        {
            return (null, NotOnce("username"));
        }

        if (!parameters.TryGetSingle("password", out var password))
        {
            return (null, NotOnce("password"));
        }

        if (!parameters.TryGetSingle("refresh_token", out var refreshToken))
        {
            return (null, NotOnce("refresh_token"));
        }

        if (isRefresh
            ? string.IsNullOrEmpty(refreshToken) || userName is not null || password is not null
            : string.IsNullOrEmpty(userName) || password is null || refreshToken is not null)
        {
            return (null, Invalid(isRefresh
                ? "send refresh_token alone with grant_type=refresh_token"
                : "send username and password with grant_type=password, and no refresh_token"));
        }

        // As in a header (RFC 7617, section 2): no method knows such a name, and records would have to be cleaned of
        // it.
        if (userName?.Any(char.IsControl) == true)
        {
            return (null, Invalid("username holds a control character"));
        }

        var credentials = isRefresh
            ? new BasicCredentials("", refreshToken!)
            : new BasicCredentials(userName!, password!);
        return Complete(parameters, PresentedCredentials.OfPassword(credentials), service);
    }

    // RFC 8693, section 2.1: a job presents the ID token of its issuer, and may name what it needs.
    private static (TokenRequest? Request, RegistryError? Error) ReadExchange(
        UrlEncodedParameters parameters, string service)
    {
        foreach (var name in NotWithAnExchange)
        {
            if (!parameters.TryGetSingle(name, out var other) || other is not null)
            {
                return (null, Invalid($"send no {name} with a token exchange"));
            }
        }

        if (!parameters.TryGetSingle("subject_token", out var token)
            || !parameters.TryGetSingle("subject_token_type", out var type)
            || !parameters.TryGetSingle("requested_token_type", out var requested))
        {
            return (null, NotOnce("subject_token, subject_token_type and requested_token_type each"));
        }

        var credentials = PresentedCredentials.OfPassword(new BasicCredentials("", token ?? ""));
        if (type is not (IdTokenType or JwtType) || credentials.Form != SignInForm.IdToken)
        {
            return (null, Invalid($"send an ID token as subject_token, with subject_token_type={IdTokenType}"));
        }

        return requested is null or AccessTokenType
            ? Complete(parameters, credentials, service, isExchange: true)
            : (null, Invalid($"requested_token_type must be {AccessTokenType}"));
    }

    private static RegistryError Invalid(string message) => RegistryError.InvalidRequest(message);

    private static (TokenRequest? Request, RegistryError? Error) Complete(
        UrlEncodedParameters parameters, PresentedCredentials credentials, string service, bool isExchange = false)
    {
        if (!parameters.TryGetSingle("service", out var asked))
        {
            return (null, NotOnce("service"));
        }

        // The audience is never the client's choice: a token for another service would be good there.
        if (!string.IsNullOrEmpty(asked) && !string.Equals(asked, service, StringComparison.OrdinalIgnoreCase))
        {
            return (null, Invalid($"the service is unknown here; ask for \"{service}\""));
        }

        if (!parameters.TryGetSingle("offline_token", out var offlineToken))
        {
            return (null, NotOnce("offline_token"));
        }

        if (!parameters.TryGetSingle("access_type", out var accessType))
        {
            return (null, NotOnce("access_type"));
        }

        var scope = AccessScopeParser.Parse(parameters.All("scope"), service);
        var isOffline = !isExchange && (offlineToken == "true" || accessType == "offline");
        return (new TokenRequest(credentials, scope, isOffline, isExchange), null);
    }

    private static RegistryError TooMany => Invalid($"there are more than {UrlEncodedParameters.MaxPairs} parameters");

    private static RegistryError NotOnce(string name) =>
        Invalid($"the parameter {name} must appear once, percent-encoded as UTF-8");
}
