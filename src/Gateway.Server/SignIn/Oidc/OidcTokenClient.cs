using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Core.Tokens;
using Gateway.Foundation.Text;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>
/// Calls a provider's token, userinfo and pushed-request endpoints (RFC 6749; OpenID Connect Core 1.0; RFC 9126).
/// </summary>
internal sealed class OidcTokenClient(string method, OidcOptions options, IssuerMetadata metadata)
{
    // As the discovery document calls them.
    private const string TokenEndpoint = "token_endpoint", PushEndpoint = "pushed_authorization_request_endpoint";

    /// <summary>Redeems an authorization code (RFC 6749, section 4.1.3; RFC 7636).</summary>
    /// <exception cref="OidcException">The provider refuses.</exception>
    /// <exception cref="IssuerException">It does not answer, or nothing of use.</exception>
    public async Task<OidcTokens> RedeemAsync(
        string code, string redirectUri, string? codeVerifier, CancellationToken cancellationToken)
    {
        List<KeyValuePair<string, string>> form =
        [
            new("grant_type", "authorization_code"), new("code", code), new("redirect_uri", redirectUri),
        ];
        if (codeVerifier is not null)
        {
            form.Add(new("code_verifier", codeVerifier));
        }

        var (status, body) = await PostAsync(TokenEndpoint, form, cancellationToken);
        return status == HttpStatusCode.OK ? Read(body) : throw Refusal(TokenEndpoint, status, body);
    }

    /// <summary>Pushes the request that starts a sign-in (RFC 9126).</summary>
    /// <param name="request">Its parameters, <c>client_id</c> among them.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns><c>request_uri</c>, which the browser carries in their place.</returns>
    /// <exception cref="OidcException">The provider refuses.</exception>
    /// <exception cref="IssuerException">It does not answer, or nothing of use.</exception>
    public async Task<string> PushAsync(
        IEnumerable<KeyValuePair<string, string>> request, CancellationToken cancellationToken)
    {
        var (status, body) = await PostAsync(PushEndpoint, [.. request], cancellationToken);
        return status is HttpStatusCode.Created or HttpStatusCode.OK
            ? Text(Parse(body, PushEndpoint), "request_uri") ?? throw new IssuerException(
                $"the {PushEndpoint} answered without a request_uri", "See the provider's own log.")
            : throw Refusal(PushEndpoint, status, body);
    }

    /// <summary>Asks for new tokens, and so whether the person is still good (RFC 6749, section 6).</summary>
    /// <exception cref="GrantEndedException">The provider says that it is over.</exception>
    /// <exception cref="OidcException">It refuses this gateway itself.</exception>
    /// <exception cref="IssuerException">It does not answer, or nothing of use.</exception>
    public async Task<OidcTokens> RefreshAsync(string refreshToken, CancellationToken cancellationToken)
    {
        var (status, body) = await PostAsync(
            TokenEndpoint, [new("grant_type", "refresh_token"), new("refresh_token", refreshToken)], cancellationToken);
        if (status == HttpStatusCode.OK)
        {
            return Read(body);
        }

        // RFC 6749, section 5.2: only these are about the person. Any other error may be temporary, and must
        // not revoke their tokens.
        if (ErrorOf(body) is ("invalid_grant" or "access_denied", _) found)
        {
            throw new GrantEndedException($"the provider says: {PrintableName.Of(found.Description ?? found.Error)}");
        }

        throw Refusal(TokenEndpoint, status, body);
    }

    /// <summary>
    /// The person's further claims (OpenID Connect Core, section 5.3); <see langword="null"/> where there is no such
    /// endpoint.
    /// </summary>
    /// <exception cref="IssuerException">It does not answer, or nothing of use.</exception>
    public async Task<JsonElement?> ReadUserInfoAsync(
        string accessToken, string subject, CancellationToken cancellationToken)
    {
        var document = await metadata.GetAsync(cancellationToken);
        if (Endpoint(document.Configuration.UserInfoEndpoint) is not { } url)
        {
            return null;
        }

        var text = await metadata.Http.GetAsync(url, cancellationToken, "Bearer " + accessToken);
        var claims = Parse(text, url.ToString());
        // Section 5.3.2: otherwise another person's claims could be inserted.
        return claims.TryGetProperty("sub", out var sub) && sub.ValueKind == JsonValueKind.String
            && sub.ValueEquals(subject)
            ? claims
            : throw new IssuerException(
                $"{url} answered with the claims of another sub than the ID token's",
                "See the provider's configuration.");
    }

    /// <summary>An endpoint of the document, where it is safe to use.</summary>
    public static Uri? Endpoint(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && IssuerOptionsValidator.IsSafe(url) ? url : null;

    private async Task<(HttpStatusCode Status, string Body)> PostAsync(
        string endpoint, List<KeyValuePair<string, string>> form, CancellationToken cancellationToken)
    {
        var configuration = (await metadata.GetAsync(cancellationToken)).Configuration;
        var text = endpoint == PushEndpoint
            ? configuration.PushedAuthorizationRequestEndpoint
            : configuration.TokenEndpoint;
        if (Endpoint(text) is not { } url)
        {
            throw new IssuerException($"{metadata.Issuer} names no safe {endpoint}",
                "Check that it is an OpenID provider.");
        }

        // Basic unless the provider says that it accepts the form only (RFC 8414: client_secret_basic where nothing is
        // said).
        var supported = configuration.TokenEndpointAuthMethodsSupported;
        string? authorization = null;
        if (supported.Count == 0 || supported.Contains("client_secret_basic"))
        {
            // RFC 6749, section 2.3.1: each encoded before they are put together.
            authorization = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(
                $"{WebUtility.UrlEncode(options.ClientId)}:{WebUtility.UrlEncode(options.ClientSecret)}"));
        }
        else
        {
            form.RemoveAll(static parameter => parameter.Key == "client_id");
            form.Add(new("client_id", options.ClientId));
            form.Add(new("client_secret", options.ClientSecret!));
        }

        return await metadata.Http.PostAsync(url, form, authorization, cancellationToken);
    }

    private Exception Refusal(string endpoint, HttpStatusCode status, string body)
    {
        if (ErrorOf(body) is not var (error, description) || (int)status >= 500)
        {
            return new IssuerException(
                $"{metadata.Issuer} answered {(int)status} at its {endpoint}", "See the provider's own log.");
        }

        var said = PrintableName.Of(description is null ? error : $"{error}: {description}");
        return error is "invalid_client" or "unauthorized_client"
            ? new OidcException(
                "the provider does not accept this registry's own credentials (client secret), so no one can sign in "
                + "through it; tell the registry's operator",
                $"the provider refuses the client \"{options.ClientId}\" ({said}). Check "
                + $"authentication.{method.Replace(':', '.')}.clientId and clientSecretFile",
                isGateways: true)
            : new OidcException(
                endpoint == PushEndpoint
                    ? "the provider does not accept this registry's sign-in requests; tell the registry's operator"
                    : "the provider did not let this registry complete the sign-in; start again",
                $"the {endpoint} answered {(int)status} ({said})",
                isGateways: true);
    }

    private static OidcTokens Read(string body)
    {
        var answer = Parse(body, TokenEndpoint);
        return new OidcTokens(
            Text(answer, "access_token") ?? throw new IssuerException(
                $"the {TokenEndpoint} answered without an access_token", "Check that it is an OpenID provider."),
            Text(answer, "id_token"),
            Text(answer, "refresh_token"));
    }

    private static (string Error, string? Description)? ErrorOf(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && Text(document.RootElement, "error") is { } error
                ? (error, Text(document.RootElement, "error_description"))
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement answer, string name) =>
        answer.Text(name) is { Length: > 0 } text ? text : null;

    private static JsonElement Parse(string body, string source)
    {
        try
        {
            using var document = JsonDocument.Parse(
                body, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 16 });
            if (document.RootElement.ValueKind == JsonValueKind.Object && JwtParts.HoldsTexts(document.RootElement))
            {
                return document.RootElement.Clone();
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // reported below
        }

        throw new IssuerException($"{source} did not answer with a JSON object", "See the provider's configuration.");
    }
}
